import type { Identity } from '../users/identity.ts'

/** Provider metadata of all identities that were used together; of a name that several have, that of the one used last. */
export const dataOfUser = (identities: readonly Identity[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    identities
      .filter(({ usedAt }) => usedAt !== '')
      .toSorted((a, b) => (a.usedAt < b.usedAt ? -1 : 1))
      .flatMap(({ data }) => Object.entries(data)),
  )
