/**
 * How much guessing is allowed. Failures are counted per account and per address; beyond a free number each further attempt must
 * wait, twice as long each time up to a limit. The owner is not locked out: a browser that has signed in to the account before is
 * counted apart from strangers, so that their failures do not slow it down.
 */
import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import type { Clock } from '#src/base/clock.ts'
import type { AttemptStore, Attempts } from './store.ts'
import { comparable } from './user.ts'

/** Numbers of docs/security.md. */
export const throttleLimits = {
  account: { free: 5, firstWaitSeconds: 1, longestWaitSeconds: 60 },
  address: { free: 30, firstWaitSeconds: 1, longestWaitSeconds: 60 },
  windowSeconds: 15 * 60,
  /** Messages of a kind that somebody gets because somebody asked for them: an address, or a number. */
  messages: { most: 5, windowSeconds: 3600 },
} as const

/**
 * What a message is written for. Each kind has a quota of its own: whoever uses up one with somebody's address keeps no other from them. `passwordLink` is the link that somebody who
 * manages users sends; `passwordReset` is what anybody can ask for.
 */
export type MessageKind = 'registration' | 'emailConfirmation' | 'passwordReset' | 'passwordLink' | 'code' | 'codeFor'

const hourMs = 3_600_000

export interface Attempt {
  /** What was typed as the user's name, whether or not there is such a user. */
  readonly name: string
  /** Where the request came from. IPv6 addresses of one network (/64) are counted as one. */
  readonly address: string
  /** Set when the browser proved that it has signed in to this account before; any text that is the same for the same browser. */
  readonly knownDevice?: string
}

export type Throttle = ReturnType<typeof createThrottle>

export function createThrottle({ store, now }: { store: AttemptStore; now: Clock }) {
  return {
    /** Counts an attempt before it is judged and answers how many seconds the caller must wait; 0 lets it pass. One that must wait counts for nothing. */
    async attempt(attempt: Attempt): Promise<number> {
      const keys = keysOf(attempt)
      const before = await store.count(keys, now(), throttleLimits.windowSeconds)
      const [account, address] = before
      const wait = Math.max(waitSeconds(account, throttleLimits.account, now()), waitSeconds(address, throttleLimits.address, now()))
      if (wait > 0) await store.takeBack(keys.map((key, index) => ({ key, before: before[index] })))
      return wait
    },

    /** Counts a guess at something that is not a password, by address, and answers how many seconds the caller must wait; 0 lets it pass. */
    async guess(what: string, address: string): Promise<number> {
      const key = digest(`${what}:${networkOf(address)}`)
      const [before] = await store.count([key], now(), throttleLimits.windowSeconds)
      const wait = waitSeconds(before, throttleLimits.address, now())
      if (wait > 0) await store.takeBack([{ key, before }])
      return wait
    },

    /** Whether one more message of a kind may go to an address or a number, which counts it: whoever asks for many does so to fill somebody's mailbox. */
    async mayWrite(kind: MessageKind, to: string): Promise<boolean> {
      const key = digest(`message:${kind}:${comparable(to)}`)
      const { most, windowSeconds } = throttleLimits.messages
      const [before] = await store.count([key], now(), windowSeconds)
      if (!before || before.failures < most) return true
      await store.takeBack([{ key, before }])
      return false
    },

    /** Whether one more message that costs money may go to anybody, which counts it; `most` of them go in an hour of the clock. */
    async maySpend(what: string, most: number): Promise<boolean> {
      const hour = Math.floor(now().getTime() / hourMs)
      const [before] = await store.count([digest(`spent:${what}:${hour}`)], now(), hourMs / 1000)
      return (before?.failures ?? 0) < most
    },

    /** Counts a try of what is good for `most` of them; whether it may be tried. */
    async mayTry(what: string, most: number): Promise<boolean> {
      const [before] = await store.count([digest(`try:${what}`)], now(), throttleLimits.messages.windowSeconds)
      return (before?.failures ?? 0) < most
    },

    /**
     * Forgets the failures of the account after a success. The address keeps its own, but for this attempt, which was none: one good guess does not pay for a
     * thousand bad ones, and an office that signs in is not made to wait.
     */
    async succeeded(attempt: Attempt): Promise<void> {
      const [account = '', address = ''] = keysOf(attempt)
      await Promise.all([store.forget([account]), store.takeBack([{ key: address }])])
    },

    /** Forgets every failure under `name`, of strangers and of known browsers, so that its owner can sign in at once. Addresses keep theirs. */
    forgive: (name: string) => store.forgetAll(accountKey(name)),
  }
}

function waitSeconds(
  attempts: Attempts | undefined,
  limits: { free: number; firstWaitSeconds: number; longestWaitSeconds: number },
  now: Date,
) {
  if (!attempts || attempts.failures < limits.free) return 0
  const wait = Math.min(limits.firstWaitSeconds * 2 ** Math.min(attempts.failures - limits.free, 20), limits.longestWaitSeconds)
  const elapsed = (now.getTime() - attempts.lastAt.getTime()) / 1000
  return Math.max(0, Math.ceil(wait - elapsed))
}

const keysOf = ({ name, address, knownDevice }: Attempt) => [
  knownDevice === undefined ? accountKey(name) : `${accountKey(name)}.${digest(`device:${knownDevice}`)}`,
  digest(`address:${networkOf(address)}`),
]

/** The first 64 bits of an IPv6 address: who has one has all that begin so. An IPv4 address is itself, also where it is written as an IPv6 one. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address
  const [front = [], back = []] = address.split('::').map((groups) => groups.split(':').filter(Boolean))
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0')
  return [...front, ...zeros, ...back].slice(0, 4).join(':')
}

/** The count of strangers; those of known browsers begin with it. */
const accountKey = (name: string) => digest(`account:${comparable(name)}`)

/** The store need not know what people type, which now and then is a password in the wrong field. */
const digest = (text: string) => createHash('sha256').update(text).digest('base64url')
