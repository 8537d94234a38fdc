import type { Context } from 'koa'
import type { AppView } from '#src/domain/apps/app.ts'
import type { Apps } from '#src/domain/apps/apps.ts'
import type { ClientCall, ClientCalls } from '#src/domain/apps/clientCalls.ts'
import { AppRefused, badRequest, invalidSession, missingParameter, userDisabled } from '#src/domain/apps/failures.ts'
import type { CallerFacts } from '#src/domain/apps/functions.ts'
import { assertEnabled, type LoggedIn, type Logins } from '#src/domain/apps/logins.ts'
import type { ApiKeys } from '#src/domain/apps/providers/apiKeys.ts'
import type { EmailPassword } from '#src/domain/apps/providers/emailPassword.ts'
import type { AppSession, AppSessions, Device } from '#src/domain/apps/sessions.ts'
import { userObjectOf } from '#src/domain/apps/userObject.ts'
import type { CustomDataOf } from '#src/domain/userdata/customData.ts'
import { plain } from '#src/domain/userdata/plain.ts'
import type { User } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import type { Endpoint } from '../kit/endpoint.ts'
import { parseEjson, readEjson, writeEjson } from './body.ts'
import { bearerOf, factsOf } from './caller.ts'
import { streamEvents } from './events.ts'
import { type RedirectsNeeds, redirectEndpoints } from './redirects.ts'

export interface ClientNeeds {
  readonly issuer: string
  readonly apps: Pick<Apps, 'find' | 'findByClientAppId'>
  readonly users: Pick<Users, 'find'>
  readonly sessions: AppSessions
  readonly logins: Logins
  readonly emailPassword: EmailPassword
  readonly apiKeys: ApiKeys
  readonly customDataOf: CustomDataOf
  readonly calls: ClientCalls
  readonly oauth: RedirectsNeeds['oauth']
  /** Told of what nobody expected. */
  readonly onFault: (error: unknown, ctx: Context) => void
  /** Takes somebody out of an app, who is gone as a whole when they came by it. */
  readonly leave: (view: AppView, user: User) => Promise<void>
}

/** The addresses of the client API, relative to its own. */
export function clientEndpoints(needs: ClientNeeds): readonly Endpoint[] {
  const { issuer, apps, users, sessions, logins, emailPassword, apiKeys, customDataOf, calls, oauth, onFault, leave } = needs

  /** The app that the address names. @throws AppRefused */
  async function appOf(ctx: Context): Promise<AppView> {
    const view = await apps.findByClientAppId(ctx.params.app)
    if (!view) throw new AppRefused(404, 'AppNotFound', `cannot find app using Client App ID '${ctx.params.app}'`)
    return view
  }

  /** Who calls with an access token, and in which app. @throws AppRefused */
  async function byAccess(ctx: Context): Promise<{ readonly view: AppView; readonly session: AppSession; readonly user: User }> {
    const { session } = await sessions.byAccessToken(bearerOf(ctx))
    return { ...(await ofSession(session)), session }
  }

  /** Who calls with a refresh token. @throws AppRefused */
  async function byRefresh(ctx: Context): Promise<{ readonly view: AppView; readonly session: AppSession; readonly user: User }> {
    const session = await sessions.byRefreshToken(bearerOf(ctx))
    return { ...(await ofSession(session)), session }
  }

  async function ofSession({ appId, userId }: AppSession): Promise<{ readonly view: AppView; readonly user: User }> {
    const [view, user] = await Promise.all([apps.find(appId), users.find(userId)])
    if (!view || !user) throw invalidSession()
    if (user.state !== 'active') throw userDisabled()
    return { view, user }
  }

  /** The session to which a login is to be linked, when the request asks for that. @throws AppRefused */
  async function linkOf(ctx: Context, view: AppView): Promise<AppSession | undefined> {
    if (ctx.query.link !== 'true') return undefined
    const { session } = await byAccess(ctx)
    if (session.appId !== view.app.id) throw invalidSession()
    return session
  }

  async function login(ctx: Context): Promise<void> {
    const view = await appOf(ctx)
    const { options, ...credentials } = await readEjson(ctx)
    const device = deviceOf(options)
    const linkTo = await linkOf(ctx, view)
    const { type } = ctx.params as { type: string }
    ctx.body = loggedIn(
      await logins.login(view, type, credentials, { facts: factsOf(ctx), ...(device && { device }), ...(linkTo && { linkTo }) }),
    )
  }

  /** What an address for e-mail and password does, which answers nothing. */
  const withEmail =
    (status: number, act: (view: AppView, given: Readonly<Record<string, unknown>>, facts: CallerFacts) => Promise<unknown>) =>
    async (ctx: Context): Promise<void> => {
      const view = await appOf(ctx)
      if (ctx.params.type !== 'local-userpass') throw badRequest(`the provider ${ctx.params.type} has no such address`)
      await act(view, await readEjson(ctx), factsOf(ctx))
      ctx.body = null
      // After the body: an empty one would make it 204.
      ctx.status = status
    }

  async function profile(ctx: Context): Promise<void> {
    const { view, user } = await byAccess(ctx)
    const { document } = await customDataOf(view, user.id)
    const { type, data, identities } = userObjectOf(user, view.app.id)
    const providerId = (provider: string) => view.app.ids[`provider/${provider}`]
    ctx.body = {
      user_id: user.id,
      domain_id: view.app.id,
      identities: identities.map((each) => ({ ...each, provider_id: providerId(each.provider_type) })),
      data,
      type,
      custom_data: plain(document ?? {}),
    }
  }

  async function refresh(ctx: Context): Promise<void> {
    const session = await sessions.byRefreshToken(bearerOf(ctx))
    const view = await apps.find(session.appId)
    if (!view) throw invalidSession()
    ctx.status = 201
    ctx.body = { access_token: await logins.refresh(view, session) }
  }

  async function logOut(ctx: Context): Promise<void> {
    await sessions.end(await sessions.byRefreshToken(bearerOf(ctx)))
    ctx.status = 204
  }

  async function deleteUser(ctx: Context): Promise<void> {
    const { view, user } = await byAccess(ctx)
    await leave(view, user)
    ctx.status = 204
  }

  /** An address for the API keys of whoever calls; with `status` it answers nothing. */
  const withKeys =
    (act: (ctx: Context, user: User, app: string) => Promise<unknown>, status = 200) =>
    async (ctx: Context): Promise<void> => {
      const { view, user } = await byRefresh(ctx)
      assertEnabled(view, 'api-key')
      const answer = await act(ctx, user, view.app.id)
      ctx.body = answer ?? null
      ctx.status = status
    }

  /** Who calls a function of the app that the address names. @throws AppRefused */
  async function callerOf(ctx: Context) {
    const [named, { view, user }] = await Promise.all([appOf(ctx), byAccess(ctx)])
    if (named.app.id !== view.app.id) throw invalidSession()
    const { document } = await customDataOf(view, user.id)
    return { view, user: userObjectOf(user, view.app.id, document) }
  }

  async function callFunction(ctx: Context): Promise<void> {
    const { view, user } = await callerOf(ctx)
    const answer = await calls.call(view, user, await readEjson(ctx, { relaxed: false }), factsOf(ctx))
    ctx.type = 'application/json'
    ctx.body = writeEjson(answer)
  }

  async function stream(ctx: Context): Promise<void> {
    const { view, user } = await callerOf(ctx)
    const [request] = [ctx.query.baas_request ?? ctx.query.stitch_request].flat()
    if (request === undefined) throw missingParameter('baas_request')
    const call = parseEjson(Buffer.from(request, 'base64').toString('utf8'), { relaxed: false }) as ClientCall
    const ending = new AbortController()
    const changes = await calls.watch(view, user, call, factsOf(ctx), ending.signal)
    streamEvents(ctx, changes, ending)
  }

  const provider = '/app/:app/auth/providers/:type'
  return [
    {
      method: 'GET',
      path: '/app/:app/location',
      async handle(ctx) {
        await appOf(ctx)
        ctx.body = { deployment_model: 'GLOBAL', location: 'US-VA', hostname: issuer, ws_hostname: issuer.replace(/^http/, 'ws') }
      },
    },
    { method: 'POST', path: `${provider}/login`, handle: login },
    ...redirectEndpoints({ issuer, oauth, appOf, linkOf, deviceOf, onFault }),
    { method: 'POST', path: `${provider}/register`, handle: withEmail(201, emailPassword.register) },
    { method: 'POST', path: `${provider}/confirm`, handle: withEmail(200, emailPassword.confirm) },
    { method: 'POST', path: `${provider}/confirm/send`, handle: withEmail(200, emailPassword.resendConfirmation) },
    { method: 'POST', path: `${provider}/confirm/call`, handle: withEmail(200, emailPassword.rerunConfirmation) },
    { method: 'POST', path: `${provider}/reset`, handle: withEmail(200, emailPassword.reset) },
    { method: 'POST', path: `${provider}/reset/send`, handle: withEmail(200, emailPassword.sendReset) },
    { method: 'POST', path: `${provider}/reset/call`, handle: withEmail(200, emailPassword.callReset) },
    { method: 'POST', path: '/app/:app/functions/call', handle: callFunction },
    { method: 'GET', path: '/app/:app/functions/call', handle: stream },
    { method: 'POST', path: '/auth/session', handle: refresh },
    { method: 'DELETE', path: '/auth/session', handle: logOut },
    { method: 'GET', path: '/auth/profile', handle: profile },
    { method: 'DELETE', path: '/auth/delete', handle: deleteUser },
    { method: 'GET', path: '/auth/api_keys', handle: withKeys((_, user, app) => apiKeys.list(user.id, app)) },
    {
      method: 'POST',
      path: '/auth/api_keys',
      handle: withKeys(async (ctx, user, app) => {
        const { name } = await readEjson(ctx)
        if (typeof name !== 'string') throw missingParameter('name')
        return apiKeys.create(user.id, app, name)
      }, 201),
    },
    { method: 'GET', path: '/auth/api_keys/:id', handle: withKeys((ctx, user, app) => apiKeys.get(user.id, app, ctx.params.id)) },
    {
      method: 'DELETE',
      path: '/auth/api_keys/:id',
      handle: withKeys((ctx, user, app) => apiKeys.remove(user.id, app, ctx.params.id), 204),
    },
    {
      method: 'PUT',
      path: '/auth/api_keys/:id/enable',
      handle: withKeys((ctx, user, app) => apiKeys.setDisabled(user.id, app, ctx.params.id, false), 204),
    },
    {
      method: 'PUT',
      path: '/auth/api_keys/:id/disable',
      handle: withKeys((ctx, user, app) => apiKeys.setDisabled(user.id, app, ctx.params.id, true), 204),
    },
  ]
}

const loggedIn = ({ user, session, accessToken, refreshToken }: LoggedIn) => ({
  access_token: accessToken,
  refresh_token: refreshToken ?? null,
  user_id: user.id,
  device_id: session.device.id,
})

/** What SDKs tell of a device, in `options.device` of a login. */
function deviceOf(options: unknown): Partial<Device> | undefined {
  const given = (options as { readonly device?: unknown } | undefined)?.device
  if (typeof given !== 'object' || given === null) return undefined
  const names = ['appId', 'appVersion', 'platform', 'platformVersion', 'sdkVersion'] as const
  const text = (value: unknown) => (typeof value === 'string' ? value.slice(0, 200) : undefined)
  const id = text((given as Record<string, unknown>).deviceId)
  return {
    ...Object.fromEntries(
      names.flatMap((name) =>
        text((given as Record<string, unknown>)[name]) ? [[name, text((given as Record<string, unknown>)[name])]] : [],
      ),
    ),
    ...(id && { id }),
  }
}
