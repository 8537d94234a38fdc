import { randomBytes, randomInt } from 'node:crypto'

const processPart = randomBytes(5).toString('hex')
let counter = randomInt(0x1000000)

/**
 * A new id of 24 hexadecimal characters, shaped like an ObjectId: four bytes of seconds, five of this process, three of a
 * counter. App Services maps documents by such ids, and they grow with time, which keeps indexes dense.
 */
export function newObjectId(now: Date = new Date()): string {
  counter = (counter + 1) % 0x1000000
  const seconds = Math.floor(now.getTime() / 1000)
  return seconds.toString(16).padStart(8, '0') + processPart + counter.toString(16).padStart(6, '0')
}

/** Whether `text` has the form of an id made by `newObjectId`. */
export const isObjectId = (text: string) => /^[0-9a-f]{24}$/.test(text)

/** 256 random bits in unreserved characters: a secret that needs no escaping in a header, a form or an address. */
export const newSecret = () => randomBytes(32).toString('base64url')
