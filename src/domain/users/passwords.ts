/**
 * Passwords: hash with argon2id, verify what other systems made, and say when a hash should be replaced.
 *
 * Hashing runs on the thread pool, never on the main thread, a few at a time: each takes 19 MiB, so an unbounded queue would be an
 * out-of-memory. Everything beyond the queue is refused with `Busy`.
 */
import { pbkdf2, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { hash as argon2Hash, verify as argon2Verify } from '@node-rs/argon2'
import { verify as bcryptVerify } from '@node-rs/bcrypt'
import { Busy } from '#src/base/errors.ts'
import { createGate } from './gate.ts'
import { UserInvalid } from './user.ts'

const pbkdf2Async = promisify(pbkdf2)
const scryptAsync = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt)

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. */
const argon2Cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
const currentPrefix = `$argon2id$v=19$m=${argon2Cost.memoryCost},t=${argon2Cost.timeCost},p=${argon2Cost.parallelism}$`

/** The hash of a password that was thrown away: what is verified where there is no user. */
const decoy = '$argon2id$v=19$m=19456,t=2,p=1$TcQBmOZrPt/NU1BYdOcO+A$c54Ur6CdOacSetvuzkqHOlueJQfbdedwhcw3oD1wDyE'

export const minCharacters = 8
const maxBytes = 1000

export interface PasswordsOptions {
  /** Hashes computed at once. */
  readonly concurrency?: number
  /** Hashes waiting for their turn; one more is refused. */
  readonly queue?: number
}

export type Passwords = ReturnType<typeof createPasswords>

export function createPasswords({ concurrency = 2, queue = 64 }: PasswordsOptions = {}) {
  const gate = createGate({ concurrency, queue, refuse: () => new Busy('password hashing') })
  const hash = (password: string) => gate.run(() => argon2Hash(password.normalize('NFC'), argon2Cost))

  return {
    /** A PHC string for a new password; App Services takes shorter ones than we do. @throws UserInvalid when it is too short or too long, Busy */
    async hash(password: string, leastCharacters = minCharacters): Promise<string> {
      assertAcceptablePassword(password, leastCharacters)
      return hash(password)
    },

    /**
     * Whether `password` is the one that `hash` was made from. Without a hash the same work is done for nothing, so that the time
     * does not tell whether there is such a user.
     * @throws Busy
     */
    async verify(password: string, stored: string | undefined): Promise<boolean> {
      if (Buffer.byteLength(password) > maxBytes) password = ''
      const reference = stored ?? decoy
      const scheme = schemeOf(reference)
      if (!scheme.isAffordable(reference)) return false
      // One text has several forms, and what is typed on one machine is another on the next (RFC 8265). A hash from elsewhere may be of any.
      const forms = new Set([password.normalize('NFC'), password])
      for (const form of forms) if (await gate.run(() => scheme.verify(form, reference))) return stored !== undefined
      return false
    },

    /** Whether `hash` should be replaced at the next successful sign-in. */
    isOutdated: (stored: string) => !stored.startsWith(currentPrefix),
  }
}

interface Scheme {
  readonly name: string
  readonly pattern: RegExp
  /** Whether a sign-in may take what it costs to verify such a hash. */
  isAffordable(hash: string): boolean
  verify(password: string, hash: string): Promise<boolean>
}

/** Two hashes are worked on at a time. */
const mostMemoryBytes = 256 * 1024 * 1024

/** The forms that are understood, each recognised by its prefix. Costs are bounded: a hash is data that an operator imports from elsewhere. */
const schemes: readonly Scheme[] = [
  {
    name: 'argon2',
    pattern: /^\$argon2(id|i|d)\$v=19\$m=\d{1,7},t=\d{1,3},p=\d{1,3}\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/,
    isAffordable(stored) {
      const [, memory = '', passes = '', lanes = ''] = /m=(\d+),t=(\d+),p=(\d+)/.exec(stored) ?? []
      return Number(memory) * 1024 <= mostMemoryBytes && Number(passes) <= 20 && Number(lanes) <= 16
    },
    verify: (password, stored) => argon2Verify(stored, password),
  },
  {
    name: 'bcrypt',
    pattern: /^\$2[abxy]\$(0[4-9]|1[0-6])\$[./A-Za-z0-9]{53}$/,
    isAffordable: () => true,
    verify: (password, stored) => bcryptVerify(password, stored.replace(/^\$2[xy]/, '$2b')),
  },
  {
    name: 'pbkdf2',
    pattern: /^\$?pbkdf2-sha(1|256|512)\$\d{1,8}\$[A-Za-z0-9+/.=_-]+\$[A-Za-z0-9+/.=_-]+$/,
    isAffordable(stored) {
      const iterations = Number(stored.replace(/^\$/, '').split('$')[1])
      return iterations >= 1 && iterations <= 10_000_000
    },
    async verify(password, stored) {
      const [scheme = '', rounds, salt = '', expected = ''] = stored.replace(/^\$/, '').split('$')
      const digest = decode(expected)
      const iterations = Number(rounds)
      return timingSafeEqual(await pbkdf2Async(password, decode(salt), iterations, digest.length, scheme.slice('pbkdf2-'.length)), digest)
    },
  },
  {
    name: 'scrypt',
    pattern: /^\$scrypt\$ln=\d{1,2},r=\d{1,3},p=\d{1,3}\$[A-Za-z0-9+/.=_-]+\$[A-Za-z0-9+/.=_-]+$/,
    isAffordable(stored) {
      const { ln, r, p } = scryptCost(stored)
      return 128 * r * 2 ** ln <= mostMemoryBytes && r >= 1 && p >= 1 && p <= 16
    },
    async verify(password, stored) {
      const [, , , salt = '', expected = ''] = stored.split('$')
      const { ln, r, p } = scryptCost(stored)
      const memory = 128 * r * 2 ** ln
      const digest = decode(expected)
      return timingSafeEqual(
        await scryptAsync(password, decode(salt), digest.length, { N: 2 ** ln, r, p, maxmem: 2 * memory + 1024 * 1024 }),
        digest,
      )
    },
  },
]

function scryptCost(stored: string): { ln: number; r: number; p: number } {
  const [, ln = '', r = '', p = ''] = /ln=(\d+),r=(\d+),p=(\d+)/.exec(stored) ?? []
  return { ln: Number(ln), r: Number(r), p: Number(p) }
}

/** Bytes of base64 in any of its spellings; passlib writes `.` for `+`. */
const decode = (text: string) => Buffer.from(text.replaceAll('.', '+'), 'base64')

const schemeOf = (stored: string): Scheme => {
  const scheme = schemes.find(({ pattern }) => pattern.test(stored))
  if (!scheme) throw new UserInvalid('passwordHash', 'is not a hash that Dossier understands')
  return scheme
}

/** The name of the scheme that made `stored`. @throws UserInvalid when it is none that can be verified */
export function passwordScheme(stored: string): string {
  const { name, isAffordable } = schemeOf(stored)
  if (isAffordable(stored)) return name
  throw new UserInvalid('passwordHash', `costs more to verify than a sign-in may take (${name}; docs/security.md has the limits)`)
}

/** What is wrong with a password that somebody has chosen, if anything is. */
export function passwordFault(password: string): 'tooShort' | 'tooLong' | undefined {
  if ([...password].length < minCharacters) return 'tooShort'
  return Buffer.byteLength(password) > maxBytes ? 'tooLong' : undefined
}

/** @throws UserInvalid when it is too short or too long */
export function assertAcceptablePassword(password: string, leastCharacters = minCharacters): void {
  if ([...password].length < leastCharacters) throw new UserInvalid('password', `must have ${leastCharacters} characters or more`)
  if (Buffer.byteLength(password) > maxBytes) throw new UserInvalid('password', `must have ${maxBytes} bytes or fewer`)
}
