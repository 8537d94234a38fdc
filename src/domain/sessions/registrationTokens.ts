import { newObjectId, newSecret } from '#src/base/ids.ts'
import type { Recorder } from '../audit/recorder.ts'
import type { ArtifactStore } from './store.ts'

/** An initial access token (RFC 7591, section 3): whoever has it may register an application. Only its hash is kept. */
export interface RegistrationToken {
  readonly id: string
  readonly name: string
  /** It works for one application only. */
  readonly once: boolean
  readonly createdAt: Date
  readonly expiresAt?: Date
}

interface Payload {
  readonly id: string
  readonly name: string
  readonly once: boolean
  readonly createdAt: string
  readonly expiresAt?: string
}

export interface RegistrationTokensDeps {
  readonly artifacts: Pick<ArtifactStore, 'find' | 'put' | 'consume' | 'remove' | 'listByAccount'>
  readonly recorder: Recorder
  readonly hash: (secret: string) => string
}

const model = 'InitialAccessToken'
/** Stands where other artifacts have a user, so that all of them are found. */
const owner = 'registration'

export type RegistrationTokens = ReturnType<typeof createRegistrationTokens>

export function createRegistrationTokens({ artifacts, recorder, hash }: RegistrationTokensDeps) {
  const isOver = ({ expiresAt }: Payload) => expiresAt !== undefined && new Date(expiresAt) <= recorder.now()

  const put = (key: string, payload: Payload) =>
    artifacts.put({
      model,
      id: key,
      payload: { ...payload, key },
      accountId: owner,
      ...(payload.expiresAt !== undefined && { expiresAt: new Date(payload.expiresAt) }),
    })

  const all = async () => {
    const found = await artifacts.listByAccount(model, owner)
    return found.filter(({ consumedAt }) => !consumedAt).map(({ payload }) => payload as unknown as Payload & { readonly key: string })
  }

  return {
    /** A new token; its text is told this once. */
    async create({ name, once, expiresAt }: { name: string; once: boolean; expiresAt?: Date }): Promise<{ id: string; token: string }> {
      const at = recorder.now()
      const token = `iat_${newSecret()}`
      const payload = {
        id: newObjectId(at),
        name,
        once,
        createdAt: at.toISOString(),
        ...(expiresAt && { expiresAt: expiresAt.toISOString() }),
      }
      await put(hash(token), payload)
      return { id: payload.id, token }
    },

    /** Those that still work, oldest first. */
    async list(): Promise<readonly RegistrationToken[]> {
      return (await all())
        .filter((each) => !isOver(each))
        .map(({ id, name, once, createdAt, expiresAt }) => ({
          id,
          name,
          once,
          createdAt: new Date(createdAt),
          ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt) }),
        }))
    },

    /** Whether there was such a token. */
    async revoke(id: string): Promise<boolean> {
      const found = (await all()).find((each) => each.id === id)
      if (found) await artifacts.remove(model, found.key)
      return found !== undefined
    },

    /** Uses a token, if it holds. One that works once is used up from then on, of many at once by one, unless it is given back. */
    async use(token: string): Promise<{ giveBack(): Promise<void> } | undefined> {
      const key = hash(token)
      const found = await artifacts.find(model, key)
      const payload = found?.payload as unknown as Payload | undefined
      if (!payload || found?.consumedAt || isOver(payload)) return undefined
      if (!payload.once) return { giveBack: async () => {} }
      if (!(await artifacts.consume(model, key, recorder.now()))) return undefined
      return {
        async giveBack() {
          await artifacts.remove(model, key)
          await put(key, payload)
        },
      }
    },
  }
}
