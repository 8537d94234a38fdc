/** API keys (contracts/app-services.md, section 3.3): of a user, or of the server, which is a user of its own. Only the hash of a key is kept. */
import { isObjectId, newObjectId, randomText } from '#src/base/ids.ts'
import type { Actor } from '../../audit/events.ts'
import type { Identity } from '../../users/identity.ts'
import type { User, UserId } from '../../users/user.ts'
import type { Users } from '../../users/users.ts'
import { AppRefused, badRequest, missingParameter } from '../failures.ts'
import type { VouchFor } from '../logins.ts'

export interface ApiKeysDeps {
  readonly users: Pick<
    Users,
    'find' | 'get' | 'create' | 'remove' | 'findByIdentity' | 'listByApp' | 'addIdentity' | 'removeIdentity' | 'setIdentityDisabled'
  >
  readonly hash: (secret: string) => string
  readonly now: () => Date
}

/** A key as it is told of. `key` is there once, when it is made. */
export interface ApiKey {
  readonly _id: string
  readonly key?: string
  readonly name: string
  readonly disabled: boolean
}

export type ApiKeys = ReturnType<typeof createApiKeys>

const provider = 'api-key'
const mostOfUser = 20
const mostOfServer = 100

export function createApiKeys({ users, hash, now }: ApiKeysDeps) {
  const notFound = () => new AppRefused(404, 'APIKeyNotFound', 'API key not found')

  function newKey(app: string, name: string): { readonly key: string; readonly identity: Identity } {
    assertName(name)
    const key = randomText(48)
    const at = now()
    return {
      key,
      identity: { app, provider, key: hash(key), id: newObjectId(at), data: { name }, createdAt: at.toISOString(), usedAt: '' },
    }
  }

  const own = (user: User, app: string) => (user.identities ?? []).filter((each) => each.app === app && each.provider === provider)

  async function held(userId: UserId, app: string, id: string): Promise<Identity> {
    const found = isObjectId(id) ? own(await users.get(userId), app).find((each) => each.id === id) : undefined
    if (!found) throw notFound()
    return found
  }

  /** The users that stand for the server keys of an app. */
  async function servers(app: string): Promise<readonly User[]> {
    const found: User[] = []
    let after: string | undefined
    do {
      const page = await users.listByApp(app, { after, limit: 500 })
      found.push(...page.items.filter(({ kind }) => kind === 'machine'))
      after = page.next
    } while (after !== undefined)
    return found
  }

  async function server(app: string, id: string): Promise<{ readonly user: User; readonly identity: Identity }> {
    for (const user of await servers(app)) {
      const identity = own(user, app).find((each) => each.id === id)
      if (identity) return { user, identity }
    }
    throw notFound()
  }

  const vouchFor: VouchFor = async ({ app }, { key }) => {
    if (typeof key !== 'string' || key === '') throw missingParameter('key')
    const hashed = hash(key)
    const user = await users.findByIdentity({ app: app.id, provider, key: hashed })
    const identity = user && own(user, app.id).find((each) => each.key === hashed)
    if (!identity || identity.disabled) throw new AppRefused(401, 'APIKeyNotFound', 'invalid API key')
    return { provider, key: hashed, id: identity.id, data: identity.data }
  }

  return {
    vouchFor,

    async list(userId: UserId, app: string): Promise<readonly ApiKey[]> {
      return own(await users.get(userId), app).map(told)
    },

    async get(userId: UserId, app: string, id: string): Promise<ApiKey> {
      return told(await held(userId, app, id))
    },

    /** @throws AppRefused */
    async create(userId: UserId, app: string, name: string): Promise<ApiKey> {
      const user = await users.get(userId)
      const keys = own(user, app)
      if ((user.identities ?? []).every((each) => each.app !== app || each.provider === 'anon-user' || each.provider === provider)) {
        throw badRequest('an anonymous user cannot have API keys')
      }
      if (keys.length >= mostOfUser) throw badRequest(`a user may have at most ${mostOfUser} API keys`)
      assertFree(keys, name)
      const { key, identity } = newKey(app, name)
      await users.addIdentity(userId, identity, itself(userId))
      return { ...told(identity), key }
    },

    async remove(userId: UserId, app: string, id: string): Promise<void> {
      await users.removeIdentity(userId, await held(userId, app, id), itself(userId))
    },

    async setDisabled(userId: UserId, app: string, id: string, disabled: boolean): Promise<void> {
      await users.setIdentityDisabled(userId, await held(userId, app, id), disabled, itself(userId))
    },

    /** Keys of the server, for the admin API. */
    server: {
      async list(app: string): Promise<readonly ApiKey[]> {
        return (await servers(app)).flatMap((user) => own(user, app).map(told))
      },

      async get(app: string, id: string): Promise<ApiKey> {
        return told((await server(app, id)).identity)
      },

      /** @throws AppRefused */
      async create(app: string, name: string, actor: Actor): Promise<ApiKey> {
        const before = await servers(app)
        if (before.length >= mostOfServer) throw badRequest(`an app may have at most ${mostOfServer} server API keys`)
        assertFree(
          before.flatMap((user) => own(user, app)),
          name,
        )
        const { key, identity } = newKey(app, name)
        const wanted = { kind: 'machine', username: `app-key-${identity.id}`, profile: { displayName: name } } as const
        await users.create({ ...wanted, identities: [identity], cameBy: app }, actor)
        return { ...told(identity), key }
      },

      async remove(app: string, id: string, actor: Actor): Promise<void> {
        await users.remove((await server(app, id)).user.id, actor)
      },

      async setDisabled(app: string, id: string, disabled: boolean, actor: Actor): Promise<void> {
        const { user, identity } = await server(app, id)
        await users.setIdentityDisabled(user.id, identity, disabled, actor)
      },
    },
  }
}

const itself = (id: UserId) => ({ kind: 'user', id }) as const

const told = ({ id, data, disabled = false }: Identity): ApiKey => ({ _id: id, name: String(data.name), disabled })

function assertName(name: unknown): asserts name is string {
  if (typeof name !== 'string' || name === '') throw missingParameter('name')
  if (!/^[\w-]{1,64}$/.test(name))
    throw new AppRefused(400, 'InvalidParameter', 'the name of an API key is 1 to 64 letters, digits, "_" and "-"')
}

function assertFree(keys: readonly Identity[], name: string): void {
  if (keys.some(({ data }) => data.name === name))
    throw new AppRefused(409, 'APIKeyAlreadyExists', 'an API key of that name already exists')
}
