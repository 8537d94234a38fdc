/** App Services' admin API, version 3.0 (contracts/app-services.md, section 5), for administrators with a personal access token. */
import type { Context } from 'koa'
import type { AdminSessions } from '#src/domain/apps/adminSessions.ts'
import type { App, AppView } from '#src/domain/apps/app.ts'
import type { Apps } from '#src/domain/apps/apps.ts'
import {
  customUserDataEdit,
  type Edit,
  functionEdit,
  functionIn,
  idOf,
  type Kind,
  nameOf,
  providerEdit,
  providerIn,
  serviceRemoval,
  triggerEdit,
  triggerIn,
  valueEdit,
} from '#src/domain/apps/editing.ts'
import { AppRefused, badRequest, missingParameter, userNotFound } from '#src/domain/apps/failures.ts'
import type { ApiKeys } from '#src/domain/apps/providers/apiKeys.ts'
import type { EmailPassword, Registration } from '#src/domain/apps/providers/emailPassword.ts'
import type { AppSessions } from '#src/domain/apps/sessions.ts'
import { userObjectOf } from '#src/domain/apps/userObject.ts'
import type { Tasks } from '#src/domain/triggers/tasks.ts'
import type { CustomDataOf } from '#src/domain/userdata/customData.ts'
import { plain } from '#src/domain/userdata/plain.ts'
import type { User, UserId } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import type { Endpoint } from '../kit/endpoint.ts'
import { readEjson } from './body.ts'
import { bearerOf, factsOf } from './caller.ts'

export interface AdminNeeds {
  readonly adminSessions: AdminSessions
  readonly apps: Apps
  readonly users: Pick<Users, 'find' | 'listByApp' | 'deactivate' | 'reactivate'>
  readonly sessions: AppSessions
  readonly emailPassword: EmailPassword
  readonly apiKeys: ApiKeys
  readonly customDataOf: CustomDataOf
  readonly triggerTasks: Pick<Tasks, 'listDead' | 'revive'>
  readonly leave: (view: AppView, user: User) => Promise<void>
  /** Another client app id: `name-abcde`. */
  readonly newClientAppId: (name: string) => string
}

/** The API has no groups here: any id is that of the one there is. */
const groupId = '000000000000000000000000'
const pageSize = 50
/** From half an hour to five years. */
const expiration = { least: 30 * 60, most: 5 * 365 * 24 * 3600 }

type Fields = Readonly<Record<string, unknown>>
interface Asked {
  readonly ctx: Context
  readonly view: AppView
  readonly actor: { readonly kind: 'user'; readonly id: string }
  /** What follows in the address, by name. */
  readonly at: Readonly<Record<string, string>>
}

/** The addresses of the admin API, relative to its own. */
export function adminEndpoints(needs: AdminNeeds): readonly Endpoint[] {
  const { adminSessions, apps, users, sessions, emailPassword, apiKeys, customDataOf, triggerTasks, leave, newClientAppId } = needs

  async function actorOf(ctx: Context) {
    return { kind: 'user', id: (await adminSessions.byAccessToken(bearerOf(ctx))).id } as const
  }

  const decoded = (params: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(params).map(([name, value]) => [name, textIn(value)]))

  /** An address below an app's own. What `act` answers is the body; nothing is an empty one. */
  const inApp = (method: Endpoint['method'], path: string, status: number, act: (asked: Asked) => Promise<unknown>): Endpoint => ({
    method,
    path: `/groups/:group/apps/:app${path}`,
    async handle(ctx) {
      const actor = await actorOf(ctx)
      const at = decoded(ctx.params)
      const view = await apps.find(at.app ?? '')
      if (!view) throw new AppRefused(404, 'AppNotFound', `app not found: '${at.app}'`)
      const answer = await act({ ctx, view, actor, at })
      ctx.body = status === 204 || answer === undefined ? null : JSON.stringify(answer)
      if (ctx.body !== null) ctx.type = 'application/json'
      // After the body: an empty one would make it 204.
      ctx.status = status
    },
  })

  const edit = ({ view, actor }: Asked, make: (view: AppView) => Edit) => apps.editFiles(view.app.id, make, actor)

  async function userAt({ view, at }: Asked): Promise<User> {
    const user = /^[0-9a-f]{24}$/.test(at.user ?? '') ? await users.find(at.user as UserId) : undefined
    if (!user?.identities?.some(({ app }) => app === view.app.id)) throw userNotFound()
    return user
  }

  function told(user: User, { app }: AppView) {
    const own = (user.identities ?? []).filter((each) => each.app === app.id)
    const { type, data, identities } = userObjectOf(user, app.id)
    const used = own
      .map(({ usedAt }) => usedAt)
      .toSorted()
      .at(-1)
    return {
      _id: user.id,
      type,
      disabled: user.state !== 'active',
      creation_date: seconds(user.createdAt),
      last_authentication_date: used ? seconds(new Date(used)) : 0,
      data,
      identities: identities.map(({ id, provider_type }) => ({ id, provider_type, provider_id: idOf(app, 'provider', provider_type) })),
    }
  }

  /** A trigger with what was given up of it. */
  async function toldTrigger(view: AppView, name: string) {
    const { function_name: called, disabled } = view.configuration.triggers.get(name) ?? {}
    const dead = await triggerTasks.listDead(view.app.id, name)
    return {
      ...triggerIn(view, name),
      _id: idOf(view.app, 'trigger', name),
      name,
      disabled,
      ...(called !== undefined && { function_name: called, function_id: idOf(view.app, 'function', called) }),
      dead_letters: dead.map(({ id, event, failures, reason, failedAt }) => ({
        _id: id,
        ...(event && { event: { operationType: event.operationType, user_id: event.userId, time: event.at } }),
        attempts: failures,
        error: reason,
        failed_at: failedAt,
      })),
    }
  }

  const listed = (view: AppView, kind: Kind, names: Iterable<string>) =>
    [...names].map((name) => ({ _id: idOf(view.app, kind, name), name }))

  return [
    {
      method: 'POST',
      path: '/auth/providers/mongodb-cloud/login',
      async handle(ctx) {
        const { apiKey } = await readEjson(ctx)
        const { user, accessToken, refreshToken } = await adminSessions.start(apiKey)
        ctx.body = { access_token: accessToken, refresh_token: refreshToken, user_id: user.id, device_id: groupId }
      },
    },
    {
      method: 'POST',
      path: '/auth/session',
      async handle(ctx) {
        const token = await adminSessions.refresh(bearerOf(ctx))
        ctx.status = 201
        ctx.body = { access_token: token }
      },
    },
    {
      method: 'DELETE',
      path: '/auth/session',
      async handle(ctx) {
        await adminSessions.end(bearerOf(ctx))
        ctx.status = 204
      },
    },
    {
      method: 'GET',
      path: '/auth/profile',
      async handle(ctx) {
        const { id } = await actorOf(ctx)
        ctx.body = { user_id: id, roles: [{ role_name: 'GROUP_OWNER', group_id: groupId }] }
      },
    },
    {
      method: 'GET',
      path: '/groups/:group/apps',
      async handle(ctx) {
        await actorOf(ctx)
        ctx.body = (await apps.list()).map(({ app }) => appOf(app))
      },
    },
    {
      method: 'POST',
      path: '/groups/:group/apps',
      async handle(ctx) {
        const actor = await actorOf(ctx)
        const { name } = await readEjson(ctx)
        if (typeof name !== 'string' || !/^[a-zA-Z][\w-]{0,31}$/.test(name))
          throw badRequest('name must be 1 to 32 letters, digits, "_" and "-", and begin with a letter')
        ctx.status = 201
        ctx.body = appOf(await apps.create(name, newClientAppId(name), actor))
      },
    },
    inApp('GET', '', 200, async ({ view }) => appOf(view.app)),
    inApp('DELETE', '', 204, ({ view, actor }) => apps.remove(view.app.id, actor)),

    inApp('GET', '/users', 200, async ({ ctx, view }) => {
      const { after, desc } = ctx.query
      const page = { limit: pageSize, descending: desc === 'true', ...(typeof after === 'string' && after !== '' && { after }) }
      return (await users.listByApp(view.app.id, page)).items.map((user) => told(user, view))
    }),
    inApp('POST', '/users', 201, async ({ ctx, view }) => told(await emailPassword.create(view, await readEjson(ctx), factsOf(ctx)), view)),
    inApp('POST', '/users/verify_token', 200, async ({ ctx, view }) => {
      const { token } = await readEjson(ctx)
      if (typeof token !== 'string') throw missingParameter('token')
      const held = await sessions.byAccessToken(token).catch((error: Error) => {
        if (error.message.includes('access token expired')) return undefined
        throw error
      })
      if (!held) return 'token expired'
      if (held.session.appId !== view.app.id) throw new AppRefused(401, 'InvalidSession', 'invalid session')
      const { sub, exp, iat, iss, user_data: data } = held.claims
      return {
        sub,
        exp,
        iat,
        iss,
        domain_id: view.app.id,
        device_id: held.session.device.id,
        ...(data !== undefined && { custom_user_data: data }),
      }
    }),
    inApp('GET', '/users/:user', 200, async (asked) => {
      const user = await userAt(asked)
      const { document } = await customDataOf(asked.view, user.id)
      return { ...told(user, asked.view), custom_data: plain(document ?? {}) }
    }),
    inApp('DELETE', '/users/:user', 204, async (asked) => leave(asked.view, await userAt(asked))),
    inApp('GET', '/users/:user/devices', 200, async (asked) =>
      (await sessions.list((await userAt(asked)).id, asked.view.app.id)).map(({ device: { id, ...device } }) => ({ _id: id, ...device })),
    ),
    inApp('PUT', '/users/:user/logout', 204, async (asked) => sessions.endAll((await userAt(asked)).id, asked.view.app.id)),
    inApp('PUT', '/users/:user/disable', 204, async (asked) => users.deactivate((await userAt(asked)).id, asked.actor)),
    inApp('PUT', '/users/:user/enable', 204, async (asked) => users.reactivate((await userAt(asked)).id, asked.actor)),

    inApp('GET', '/user_registrations/pending_users', 200, async ({ ctx, view }) => {
      const { after } = ctx.query
      return (await emailPassword.listPending(view, { limit: pageSize, ...(typeof after === 'string' && after !== '' && { after }) })).map(
        pendingOf,
      )
    }),
    inApp('DELETE', '/user_registrations/by_email/:email', 204, async ({ view, at }) => {
      if (!(await emailPassword.removePending(view, at.email ?? ''))) throw userNotFound()
    }),
    inApp('POST', '/user_registrations/by_email/:email/send_confirm', 200, ({ ctx, view, at }) =>
      emailPassword.resendConfirmation(view, { email: at.email }, factsOf(ctx)),
    ),
    inApp('POST', '/user_registrations/by_email/:email/confirm', 204, ({ view, at }) => emailPassword.confirmPending(view, at.email ?? '')),
    inApp('POST', '/user_registrations/by_email/:email/run_confirm', 202, ({ ctx, view, at }) =>
      emailPassword.rerunConfirmation(view, { email: at.email }, factsOf(ctx)),
    ),

    inApp('GET', '/auth_providers', 200, async ({ view }) =>
      [...view.configuration.providers.values()].map(({ type, disabled }) => ({
        _id: idOf(view.app, 'provider', type),
        name: type,
        type,
        disabled,
      })),
    ),
    inApp('POST', '/auth_providers', 201, async (asked) => {
      const given = await readEjson(asked.ctx)
      const { type } = given
      if (typeof type !== 'string') throw missingParameter('type')
      if (asked.view.configuration.providers.has(type))
        throw new AppRefused(409, 'AuthProviderAlreadyExists', `the provider ${type} already exists`)
      const app = await edit(asked, (view) => providerEdit(view, type, providerFields(view, given)))
      return { _id: idOf(app, 'provider', type), name: type, type, disabled: given.disabled === true }
    }),
    inApp('GET', '/auth_providers/:id', 200, async ({ view, at }) => ({
      _id: at.id,
      ...withIds(view, providerIn(view, nameOf(view, 'provider', at.id ?? ''))),
    })),
    inApp('PATCH', '/auth_providers/:id', 204, async (asked) => {
      const given = await readEjson(asked.ctx)
      await edit(asked, (view) => {
        const type = nameOf(view, 'provider', asked.at.id ?? '')
        return providerEdit(view, type, { ...providerIn(view, type), ...providerFields(view, given), name: type, type })
      })
    }),
    inApp('DELETE', '/auth_providers/:id', 204, (asked) =>
      edit(asked, (view) => providerEdit(view, nameOf(view, 'provider', asked.at.id ?? ''), undefined)),
    ),
    ...(['enable', 'disable'] as const).map((word) =>
      inApp('PUT', `/auth_providers/:id/${word}`, 204, (asked) =>
        edit(asked, (view) => {
          const type = nameOf(view, 'provider', asked.at.id ?? '')
          return providerEdit(view, type, { ...providerIn(view, type), disabled: word === 'disable' })
        }),
      ),
    ),

    inApp('GET', '/custom_user_data', 200, async ({ view }) => {
      const { mongo_service_name: service, on_user_creation_function_name: creation, ...rest } = view.configuration.customUserDataFile
      return {
        ...rest,
        ...(service && { mongo_service_id: idOf(view.app, 'service', service) }),
        ...(creation && { on_user_creation_function_id: idOf(view.app, 'function', creation) }),
      }
    }),
    inApp('PATCH', '/custom_user_data', 204, async (asked) => {
      const { mongo_service_id: service, on_user_creation_function_id: creation, ...rest } = await readEjson(asked.ctx)
      await edit(asked, (view) => {
        const { on_user_creation_function_name: _, ...before } = view.configuration.customUserDataFile
        return customUserDataEdit({
          ...before,
          ...rest,
          ...(typeof service === 'string' && { mongo_service_name: nameOf(view, 'service', service) }),
          ...(typeof creation === 'string' && creation !== '' && { on_user_creation_function_name: nameOf(view, 'function', creation) }),
        })
      })
    }),

    inApp('GET', '/api_keys', 200, ({ view }) => apiKeys.server.list(view.app.id)),
    inApp('POST', '/api_keys', 201, async ({ ctx, view, actor }) => {
      const { name } = await readEjson(ctx)
      if (typeof name !== 'string') throw missingParameter('name')
      return apiKeys.server.create(view.app.id, name, actor)
    }),
    inApp('GET', '/api_keys/:id', 200, ({ view, at }) => apiKeys.server.get(view.app.id, at.id ?? '')),
    inApp('DELETE', '/api_keys/:id', 204, ({ view, at, actor }) => apiKeys.server.remove(view.app.id, at.id ?? '', actor)),
    inApp('PUT', '/api_keys/:id/enable', 204, ({ view, at, actor }) => apiKeys.server.setDisabled(view.app.id, at.id ?? '', false, actor)),
    inApp('PUT', '/api_keys/:id/disable', 204, ({ view, at, actor }) => apiKeys.server.setDisabled(view.app.id, at.id ?? '', true, actor)),

    inApp('GET', '/functions', 200, async ({ view }) => listed(view, 'function', view.configuration.functions.keys())),
    inApp('POST', '/functions', 201, async (asked) => {
      const { name, source, _id: _, ...fields } = await readEjson(asked.ctx)
      if (typeof name !== 'string' || typeof source !== 'string') throw missingParameter('name, source')
      if (asked.view.configuration.functions.has(name))
        throw new AppRefused(409, 'FunctionDuplicateName', `function name '${name}' already exists`)
      const app = await edit(asked, (view) => functionEdit(view, name, { fields, source }))
      return { _id: idOf(app, 'function', name), name }
    }),
    inApp('GET', '/functions/:id', 200, async ({ view, at }) => {
      const name = nameOf(view, 'function', at.id ?? '')
      return { ...functionIn(view, name), _id: at.id, name, source: view.configuration.functions.get(name)?.source }
    }),
    inApp('PUT', '/functions/:id', 204, async (asked) => {
      const { source, _id: _, name: __, ...fields } = await readEjson(asked.ctx)
      await edit(asked, (view) =>
        functionEdit(view, nameOf(view, 'function', asked.at.id ?? ''), { fields, ...(typeof source === 'string' && { source }) }),
      )
    }),
    // One that is in use is a fault of the files that use it.
    inApp('DELETE', '/functions/:id', 204, (asked) =>
      edit(asked, (view) => functionEdit(view, nameOf(view, 'function', asked.at.id ?? ''), undefined)),
    ),

    inApp('GET', '/services', 200, async ({ view }) =>
      [...view.configuration.dataSources.values()].map(({ name, type }) => ({ _id: idOf(view.app, 'service', name), name, type })),
    ),
    inApp('DELETE', '/services/:id', 204, (asked) =>
      edit(asked, (view) => serviceRemoval(view, nameOf(view, 'service', asked.at.id ?? ''))),
    ),

    inApp('GET', '/secrets', 200, async ({ view }) => listed(view, 'secret', Object.keys(view.app.secrets))),
    inApp('POST', '/secrets', 201, async ({ ctx, view, actor }) => {
      const { name, value } = await readEjson(ctx)
      if (typeof name !== 'string' || name === '' || typeof value !== 'string') throw missingParameter('name, value')
      if (Object.hasOwn(view.app.secrets, name)) throw new AppRefused(409, 'SecretAlreadyExists', `the secret ${name} already exists`)
      return { _id: idOf(await apps.setSecret(view.app.id, name, value, actor), 'secret', name), name }
    }),
    inApp('PUT', '/secrets/:id', 204, async ({ ctx, view, at, actor }) => {
      const { value } = await readEjson(ctx)
      if (typeof value !== 'string') throw missingParameter('value')
      return apps.setSecret(view.app.id, nameOf(view, 'secret', at.id ?? ''), value, actor)
    }),
    inApp('DELETE', '/secrets/:id', 204, ({ view, at, actor }) =>
      apps.setSecret(view.app.id, nameOf(view, 'secret', at.id ?? ''), undefined, actor),
    ),

    inApp('GET', '/values', 200, async ({ view }) => listed(view, 'value', view.configuration.values.keys())),
    inApp('POST', '/values', 201, async (asked) => {
      const { name, _id: _, ...value } = await readEjson(asked.ctx)
      if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name)) throw missingParameter('name')
      const app = await edit(asked, (view) => valueEdit(view, name, value))
      return { _id: idOf(app, 'value', name), name }
    }),
    inApp('GET', '/values/:id', 200, async ({ view, at }) => {
      const name = nameOf(view, 'value', at.id ?? '')
      return { ...view.configuration.values.get(name), _id: at.id, name }
    }),
    inApp('PUT', '/values/:id', 204, async (asked) => {
      const { name: _, _id: __, ...value } = await readEjson(asked.ctx)
      await edit(asked, (view) => valueEdit(view, nameOf(view, 'value', asked.at.id ?? ''), value))
    }),
    inApp('DELETE', '/values/:id', 204, (asked) =>
      edit(asked, (view) => valueEdit(view, nameOf(view, 'value', asked.at.id ?? ''), undefined)),
    ),

    inApp('GET', '/triggers', 200, async ({ view }) =>
      Promise.all([...view.configuration.triggers.keys()].map((name) => toldTrigger(view, name))),
    ),
    inApp('POST', '/triggers', 201, async (asked) => {
      const { name, ...given } = await readEjson(asked.ctx)
      if (typeof name !== 'string' || !/^[A-Za-z][\w-]{0,63}$/.test(name))
        throw badRequest('name must be 1 to 64 letters, digits, "_" and "-", and begin with a letter')
      if (asked.view.configuration.triggers.has(name))
        throw new AppRefused(409, 'TriggerDuplicateName', `trigger name '${name}' already exists`)
      const app = await edit(asked, (view) => triggerEdit(view, name, triggerFields(view, given)))
      return { _id: idOf(app, 'trigger', name), name, type: given.type }
    }),
    inApp('GET', '/triggers/:id', 200, async ({ view, at }) => toldTrigger(view, nameOf(view, 'trigger', at.id ?? ''))),
    inApp('PUT', '/triggers/:id', 204, async (asked) => {
      const { name: _, ...given } = await readEjson(asked.ctx)
      await edit(asked, (view) => triggerEdit(view, nameOf(view, 'trigger', asked.at.id ?? ''), triggerFields(view, given)))
    }),
    inApp('DELETE', '/triggers/:id', 204, (asked) =>
      edit(asked, (view) => triggerEdit(view, nameOf(view, 'trigger', asked.at.id ?? ''), undefined)),
    ),
    inApp('PUT', '/triggers/:id/resume', 204, ({ view, at }) => triggerTasks.revive(view.app.id, nameOf(view, 'trigger', at.id ?? ''))),

    inApp('GET', '/security/refresh_token_expiration', 200, async ({ view }) => ({
      expiration_time_seconds: view.app.refreshTokenSeconds,
    })),
    inApp('PUT', '/security/refresh_token_expiration', 204, async ({ ctx, view, actor }) => {
      const wanted = (await readEjson(ctx)).expiration_time_seconds
      if (!Number.isInteger(wanted) || (wanted as number) < expiration.least || (wanted as number) > expiration.most) {
        throw badRequest(`expiration_time_seconds must be a whole number from ${expiration.least} to ${expiration.most}`)
      }
      return apps.setRefreshTokenSeconds(view.app.id, wanted as number, actor)
    }),
  ]
}

const appOf = ({ id, clientAppId, name, changedAt }: App) => ({
  _id: id,
  client_app_id: clientAppId,
  name,
  location: 'US-VA',
  deployment_model: 'GLOBAL',
  domain_id: id,
  group_id: groupId,
  last_modified: seconds(changedAt),
})

const pendingOf = ({ id, app, email }: Registration) => ({
  _id: id,
  domain_id: app,
  login_ids: [{ id_type: 'email', id: email }],
  user_id: '',
})

const seconds = (date: Date) => Math.floor(date.getTime() / 1000)

function textIn(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw badRequest('the address is not percent-encoded UTF-8')
  }
}

/** A trigger as its file has it: the admin API knows functions by ids, in either of two places. */
function triggerFields(view: AppView, { _id: _, function_id: id, dead_letters: __, ...rest }: Fields): Fields {
  const processors = rest.event_processors as { readonly FUNCTION?: { readonly config?: Fields } } | undefined
  const { function_id: newerId, ...newer } = processors?.FUNCTION?.config ?? {}
  const name = [id, newerId].map((each) => (typeof each === 'string' && each !== '' ? nameOf(view, 'function', each) : undefined))
  return {
    ...rest,
    ...(name[0] !== undefined && { function_name: name[0] }),
    ...(processors?.FUNCTION && {
      event_processors: {
        ...processors,
        FUNCTION: { ...processors.FUNCTION, config: { ...newer, ...(name[1] !== undefined && { function_name: name[1] }) } },
      },
    }),
  }
}

/** Functions that a provider names, which the admin API knows by ids and the folder by names. */
const functionFields = ['confirmationFunction', 'resetFunction', 'authFunction'] as const

function providerFields(view: AppView, { _id: _, config, ...rest }: Fields): Fields {
  if (typeof config !== 'object' || config === null) return rest
  const named = { ...(config as Record<string, unknown>) }
  for (const field of functionFields) {
    const id = named[`${field}Id`]
    if (typeof id === 'string' && id !== '') named[`${field}Name`] = nameOf(view, 'function', id)
    delete named[`${field}Id`]
  }
  return { ...rest, config: named }
}

function withIds({ app }: AppView, provider: Fields): Fields {
  if (typeof provider.config !== 'object' || provider.config === null) return provider
  const config = { ...(provider.config as Record<string, unknown>) }
  for (const field of functionFields) {
    const name = config[`${field}Name`]
    if (typeof name === 'string' && name !== '') config[`${field}Id`] = idOf(app, 'function', name)
  }
  return { ...provider, config }
}
