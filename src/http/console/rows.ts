/** So many rows does a list show. */
export const rows = 50
