import { randomBytes, randomFillSync, randomInt } from 'node:crypto'

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

const pool = Buffer.allocUnsafeSlow(8192)
let drawn = pool.length

/** `bytes` random bytes as base64url. They come from a pool: a call of the system for each would cost more than what they are used for. */
export function randomText(bytes: number): string {
  if (drawn + bytes > pool.length) {
    randomFillSync(pool)
    drawn = 0
  }
  drawn += bytes
  const text = pool.toString('base64url', drawn - bytes, drawn)
  pool.fill(0, drawn - bytes, drawn)
  return text
}

/** 256 random bits in unreserved characters: a secret that needs no escaping in a header, a form or an address. */
export const newSecret = () => randomText(32)
