import type { Clock } from '#src/base/clock.ts'
import { newSecret } from '#src/base/ids.ts'
import { payloadOf } from '#src/base/payload.ts'
import type { ArtifactStore } from '../sessions/store.ts'

/** What a link is about, by its kind. */
export interface LinkPayloads {
  registration: PendingRegistration
  /** `email` is where it went: it is good while that is their proven address. */
  passwordReset: { readonly userId: string; readonly email: string; readonly interaction?: string }
  email: { readonly userId: string; readonly email: string }
  /** Made for whoever has proved who they are, and whose account is about to be deleted. */
  stay: { readonly userId: string }
  /** Made for whoever has just registered, and comes back to the interaction that they left for it. */
  arrival: { readonly userId: string; readonly interaction: string }
}

/** Somebody who has registered and has not followed the link: nobody knows of them yet. */
export interface PendingRegistration {
  readonly username: string
  readonly email: string
  readonly givenName?: string
  readonly familyName?: string
  readonly locale?: string
  readonly hashedPassword: string
  readonly metadata: readonly { readonly key: string; readonly text: string }[]
  /** SHA-256 of what the browser has that the form came from. */
  readonly browserHash?: string
  /** Where they came from: the interaction of the application that they want to go on to. */
  readonly interaction?: string
}

export interface LinkOptions {
  readonly lifetimeSeconds: number
  /** Whose it is: it ends with what they hold. */
  readonly userId?: string
  /** Their next link of the kind ends it. Not where a stranger can ask for that one: they would take it from them again and again. */
  readonly isOnly?: boolean
}

export type Links = ReturnType<typeof createLinks>

interface Stored<K extends keyof LinkPayloads> {
  readonly about: LinkPayloads[K]
  readonly until: number
  readonly userId?: string
  readonly isOnly?: boolean
}

const model = 'AccountLink'

/** Links that work once: 256 random bits, of which the SHA-256 is kept. */
export function createLinks({
  artifacts,
  hash,
  now,
}: {
  readonly artifacts: Pick<ArtifactStore, 'find' | 'put' | 'consume' | 'remove'>
  readonly hash: (secret: string) => string
  readonly now: Clock
}) {
  const idOf = (kind: keyof LinkPayloads, secret: string) => `${kind}:${hash(secret)}`
  const currentOf = (kind: keyof LinkPayloads, userId: string) => `${kind}:of:${userId}`

  async function look<K extends keyof LinkPayloads>(
    kind: K,
    secret: string,
  ): Promise<{ about: LinkPayloads[K]; isUsed: boolean } | undefined> {
    const found = await artifacts.find(model, idOf(kind, secret))
    if (!found) return undefined
    const { about, until, userId, isOnly = false } = payloadOf<Stored<K>>(found)
    if (until <= now().getTime()) return undefined
    if (userId !== undefined && isOnly) {
      const current = await artifacts.find(model, currentOf(kind, userId))
      if (current?.payload.id !== idOf(kind, secret)) return undefined
    }
    return { about, isUsed: found.consumedAt !== undefined }
  }

  return {
    /** The secret of a new link; it is told this once. */
    async issue<K extends keyof LinkPayloads>(
      kind: K,
      about: LinkPayloads[K],
      { lifetimeSeconds, userId, isOnly = false }: LinkOptions,
    ): Promise<string> {
      const secret = newSecret()
      const id = idOf(kind, secret)
      const expiresAt = new Date(now().getTime() + lifetimeSeconds * 1000)
      const stored: Stored<K> = { about, until: expiresAt.getTime(), ...(userId !== undefined && { userId }), isOnly }
      const owner = userId !== undefined && { accountId: userId }
      await artifacts.put({ model, id, payload: { ...stored }, expiresAt, ...owner })
      if (userId !== undefined && isOnly) await artifacts.put({ model, id: currentOf(kind, userId), payload: { id }, expiresAt, ...owner })
      return secret
    },

    look,

    /** What the link is about, while it is good. */
    async find<K extends keyof LinkPayloads>(kind: K, secret: string): Promise<LinkPayloads[K] | undefined> {
      const found = await look(kind, secret)
      return found && !found.isUsed ? found.about : undefined
    },

    /** Uses a link up; of many at once, one gets `true`. */
    use: (kind: keyof LinkPayloads, secret: string): Promise<boolean> => artifacts.consume(model, idOf(kind, secret), now()),
  }
}
