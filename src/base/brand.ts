declare const brand: unique symbol

/** A `T` that only the room which owns the name `B` can make. */
export type Brand<T, B extends string> = T & { readonly [brand]: B }
