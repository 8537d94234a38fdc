import { searchedBytes } from '#src/domain/users/search.ts'

/**
 * What an entry of metadata is found by, in an index over all of them: the key, a character that ends it, and the beginning of the value. A key may have that
 * character too, so it is written as two.
 */
export const tagOf = ({ key, value }: { readonly key: string; readonly value: Uint8Array }) => `${tagOfKey(key)}${tagOfValue(value)}`

/** Ends the key in a tag. */
export const endOfKey = '\u0001'

/** How the tag of `key` begins, whatever its value is. */
export const tagOfKey = (key: string) => `${escaped(key)}${endOfKey}`

/** How the tag of a value ends, whatever its key is. */
export const tagOfValue = (value: Uint8Array) => Buffer.from(value.subarray(0, searchedBytes)).toString('hex')

/** A key as its tag has it: nothing in it looks like the end. */
export const escaped = (key: string) => key.replaceAll('\u0002', '\u0002\u0002').replaceAll('\u0001', '\u0002\u0003')
