/**
 * One-time codes: whoever has one has proved that a message reached them (an e-mail address, a phone number), or may set a new password. Of one kind, a user has one code
 * at a time; what is kept is its SHA-256.
 */
import type { Clock } from '#src/base/clock.ts'
import { randomText } from '#src/base/ids.ts'
import type { ArtifactStore } from '../sessions/store.ts'
import { hashSecret } from './secrets.ts'
import type { UserId } from './user.ts'

/** What a code is good for. */
export type CodePurpose = 'email' | 'phone' | 'password'

const model = 'UserCode'
const lifetimeSeconds = 3600
/** 120 random bits, 20 characters: as many as ZITADEL's API takes. */
const codeBytes = 15

export type Codes = ReturnType<typeof createCodes>

export function createCodes({ artifacts, now }: { artifacts: Pick<ArtifactStore, 'put' | 'find' | 'consume'>; now: Clock }) {
  const idOf = (userId: UserId, purpose: CodePurpose) => `${purpose}:${userId}`

  return {
    /** A new code that is good for an hour, in place of the one before. `about` is what it proves: the address or the number, as it was then. */
    async issue(userId: UserId, purpose: CodePurpose, about: string): Promise<string> {
      const code = randomText(codeBytes)
      const expiresAt = new Date(now().getTime() + lifetimeSeconds * 1000)
      // A code that was used leaves its mark under its id, so every code has another.
      const id = idOf(userId, purpose)
      const codeId = `${id}:${hashSecret(code)}`
      await artifacts.put({ model, id, payload: { codeId }, expiresAt })
      await artifacts.put({ model, id: codeId, payload: { about }, expiresAt })
      return code
    },

    /** Uses a code up. Whether it was the right one, for what is still so. */
    async use(userId: UserId, purpose: CodePurpose, about: string, code: string): Promise<boolean> {
      const codeId = `${idOf(userId, purpose)}:${hashSecret(code)}`
      const [current, found] = await Promise.all([artifacts.find(model, idOf(userId, purpose)), artifacts.find(model, codeId)])
      if (current?.payload.codeId !== codeId || found?.payload.about !== about || found.consumedAt) return false
      return artifacts.consume(model, codeId, now())
    },
  }
}
