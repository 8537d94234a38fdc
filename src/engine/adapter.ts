/** The engine's storage, over the domain's artifacts: where its races are closed (contracts/engine.md, section 2). */
import type { Adapter, AdapterPayload } from 'oidc-provider'
import type { Clock } from '#src/base/clock.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { ArtifactStore, FoundArtifact } from '#src/domain/sessions/store.ts'
import { hashSecret } from '#src/domain/users/secrets.ts'
import { isActive } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import { artifactOf } from './artifacts.ts'
import { clientOf, clientOfMachine, type OpenSecret } from './clients.ts'
import { AlreadyUsedError, errors, Provider } from './internals.ts'
import type { Registrar } from './registrar.ts'

export interface AdapterDeps {
  readonly artifacts: ArtifactStore
  readonly catalogue: Pick<Catalogue, 'find'>
  readonly users: Pick<Users, 'findByUsername'>
  readonly openSecret: OpenSecret
  readonly registrar: Registrar
  readonly now: Clock
}

/** Makes the engine's adapter of one model. */
export function createAdapter({ artifacts, catalogue, users, openSecret, registrar, now }: AdapterDeps) {
  return (model: string): Adapter => {
    if (model === 'Client') return clientAdapter({ catalogue, users, openSecret, registrar })
    const adapter = artifactAdapter({ model, artifacts, now })
    return model === 'RegistrationAccessToken' ? underHash(adapter) : adapter
  }
}

/** Keeps tokens by their hash alone: these have no end, and whoever reads the store shall not have them. */
const underHash = (adapter: Adapter): Adapter => ({
  ...adapter,
  upsert: (id, { jti: _, ...payload }, expiresIn) => adapter.upsert(hashSecret(id), payload, expiresIn),
  async find(id) {
    const payload = await adapter.find(hashSecret(id))
    return payload && { ...payload, jti: id }
  },
  destroy: (id) => adapter.destroy(hashSecret(id)),
})

const mostAgentCharacters = 300

const usedOnce: Readonly<Record<string, string>> = { AuthorizationCode: 'code', RefreshToken: 'refresh_token', DeviceCode: 'device_code' }

/** Said of what is used once, by the parameter that it comes in. */
export const reuseReason = (model: string) => `${usedOnce[model] ?? model}: it has been used already`

/** What a press of a button makes of a device code, which may happen to it once: a person takes it up or refuses it; later it has an answer. */
function stepOf({ inFlight, error, accountId }: AdapterPayload): 'taken' | 'answered' | undefined {
  if (inFlight) return error || accountId ? 'answered' : 'taken'
  return error ? 'taken' : undefined
}

const enginePayloadOf = (found: FoundArtifact | undefined): AdapterPayload | undefined =>
  found && { ...found.payload, ...(found.consumedAt && { consumed: Math.floor(found.consumedAt.getTime() / 1000) }) }

/** A session of somebody says by which browser they are signed in, so that they know it again. */
function withAgent(payload: AdapterPayload): AdapterPayload {
  const agent = Provider.ctx?.get('user-agent')
  return payload.accountId && agent ? Object.assign({}, payload, { agent: agent.slice(0, mostAgentCharacters) }) : payload
}

function artifactAdapter({ model, artifacts, now }: { model: string; artifacts: ArtifactStore; now: Clock }): Adapter {
  return {
    async upsert(id, payload, expiresIn) {
      const artifact = artifactOf(model, id, model === 'Session' ? withAgent(payload) : payload, expiresIn, now())
      const step = model === 'DeviceCode' ? stepOf(payload) : undefined
      // Two people at the same moment: the engine would let the later one write over the other.
      if (step && !(await artifacts.insert(artifactOf('ReplayDetection', `${id}:${step}`, {}, expiresIn, now()))))
        throw new AlreadyUsedError()
      if (model === 'Session') await artifacts.putSession(artifact)
      else await artifacts.put(artifact)
    },
    find: async (id) => enginePayloadOf(await artifacts.find(model, id)),
    findByUid: async (uid) => enginePayloadOf(await artifacts.findByUid(model, uid)),
    findByUserCode: async (userCode) => enginePayloadOf(await artifacts.findByUserCode(model, userCode)),
    async consume(id) {
      if (await artifacts.consume(model, id, now())) return
      if (model === 'PushedAuthorizationRequest') throw new errors.InvalidRequestUri('request_uri is invalid, expired, or was already used')
      throw new errors.InvalidGrant(reuseReason(model))
    },
    destroy: (id) => artifacts.remove(model, id),
    revokeByGrantId: (grantId) => artifacts.removeByGrant(model, grantId),
  }
}

function clientAdapter({ catalogue, users, openSecret, registrar }: Omit<AdapterDeps, 'artifacts' | 'now'>): Adapter {
  const impossible = async () => {
    throw new TypeError('an application is not used up')
  }
  return {
    async find(clientId) {
      const view = await catalogue.find(clientId)
      if (view) return view.application.active ? clientOf(view.application, openSecret) : undefined
      const user = await users.findByUsername(clientId)
      return user?.kind === 'machine' && user.username === clientId && user.secretHash && isActive(user) ? clientOfMachine(user) : undefined
    },
    upsert: (clientId, metadata) => registrar.put(clientId, metadata),
    destroy: (clientId) => registrar.remove(clientId),
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    consume: impossible,
    revokeByGrantId: impossible,
  }
}
