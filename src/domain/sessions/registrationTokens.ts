import { newObjectId, newSecret } from '#src/base/ids.ts'
import { payloadOf } from '#src/base/payload.ts'
import type { Actor, AuditStore } from '../audit/events.ts'
import type { Recorder } from '../audit/recorder.ts'
import type { ArtifactStore } from './store.ts'

/** An initial access token (RFC 7591, section 3): whoever has it may register an application. Only its hash is kept. */
export interface RegistrationToken {
  readonly id: string
  readonly name: string
  /** How many applications may still be registered with it; left out, any number. */
  readonly uses?: number
  readonly createdAt: Date
  readonly expiresAt?: Date
}

interface Payload {
  readonly id: string
  readonly name: string
  readonly uses?: number
  readonly createdAt: string
  readonly expiresAt?: string
}

export interface RegistrationTokensDeps {
  readonly artifacts: Pick<ArtifactStore, 'find' | 'put' | 'insert' | 'remove' | 'listByAccount'>
  readonly audit: Pick<AuditStore, 'record'>
  readonly recorder: Recorder
  readonly hash: (secret: string) => string
}

const model = 'InitialAccessToken'
/** Stands where other artifacts have a user, so that all of them are found. */
const owner = 'registration'
/** A use is an artifact too, with a number below the token's `uses`: each number is taken once, however many ask at once. */
const useModel = 'InitialAccessTokenUse'
const nothingToGiveBack = { giveBack: async () => {} }

export type RegistrationTokens = ReturnType<typeof createRegistrationTokens>

export function createRegistrationTokens({ artifacts, audit, recorder, hash }: RegistrationTokensDeps) {
  const isOver = ({ expiresAt }: Payload) => expiresAt !== undefined && new Date(expiresAt) <= recorder.now()
  const endOf = ({ expiresAt }: Pick<Payload, 'expiresAt'>) => (expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) })

  const all = async () => {
    const found = await artifacts.listByAccount(model, owner)
    return found.map(payloadOf<Payload & { readonly key: string }>)
  }

  const takenUses = async (key: string) => (await artifacts.listByAccount(useModel, key)).map(({ payload }) => payload.number as number)
  const useId = (key: string, number: number) => `${key}.${number}`

  /** The numbers that are not taken, lowest first. */
  async function freeUses(key: string, uses: number): Promise<readonly number[]> {
    const taken = new Set(await takenUses(key))
    return Array.from({ length: uses }, (_, number) => number).filter((number) => !taken.has(number))
  }

  return {
    /** A new token; its text is told this once. */
    async create(
      { name, uses, expiresAt }: Pick<RegistrationToken, 'name' | 'uses' | 'expiresAt'>,
      actor: Actor,
    ): Promise<{ id: string; token: string }> {
      const at = recorder.now()
      const token = `iat_${newSecret()}`
      const payload: Payload = {
        id: newObjectId(at),
        name,
        ...(uses !== undefined && { uses }),
        createdAt: at.toISOString(),
        ...(expiresAt && { expiresAt: expiresAt.toISOString() }),
      }
      const key = hash(token)
      await artifacts.put({ model, id: key, payload: { ...payload, key }, accountId: owner, ...endOf(payload) })
      const facts = { name, ...(uses !== undefined && { uses }), ...(payload.expiresAt !== undefined && { expiresAt: payload.expiresAt }) }
      await audit.record([recorder.event('registration_token.created', actor, { kind: 'registrationToken', id: payload.id }, facts)])
      return { id: payload.id, token }
    },

    /** Those that still work, oldest first. */
    async list(): Promise<readonly RegistrationToken[]> {
      const tokens = (await all()).filter((each) => !isOver(each))
      const counted = await Promise.all(
        tokens.map(async ({ key, id, name, uses, createdAt, expiresAt }) => ({
          id,
          name,
          ...(uses !== undefined && { uses: (await freeUses(key, uses)).length }),
          createdAt: new Date(createdAt),
          ...endOf({ expiresAt }),
        })),
      )
      return counted.filter(({ uses }) => uses !== 0)
    },

    /** Whether there was such a token. */
    async revoke(id: string, actor: Actor): Promise<boolean> {
      const found = (await all()).find((each) => each.id === id)
      if (!found) return false
      await artifacts.remove(model, found.key)
      await Promise.all((await takenUses(found.key)).map((number) => artifacts.remove(useModel, useId(found.key, number))))
      await audit.record([recorder.event('registration_token.revoked', actor, { kind: 'registrationToken', id }, {})])
      return true
    },

    /** Uses a token, if it holds: as often as it says, of many at once too, unless a use is given back. */
    async use(token: string): Promise<{ giveBack(): Promise<void> } | undefined> {
      const key = hash(token)
      const found = await artifacts.find(model, key)
      const payload = found && payloadOf<Payload>(found)
      if (!payload || isOver(payload)) return undefined
      if (payload.uses === undefined) return nothingToGiveBack
      for (const number of await freeUses(key, payload.uses)) {
        const id = useId(key, number)
        const use = { model: useModel, id, payload: { number }, accountId: key, ...endOf(payload) }
        if (await artifacts.insert(use)) return { giveBack: () => artifacts.remove(useModel, id) }
      }
      return undefined
    },
  }
}
