import type { Context } from 'koa'

interface Address {
  readonly path: string
  /** As the header `Allow` lists them. */
  readonly methods: 'GET' | 'POST' | 'GET, POST'
}

/** The endpoints by the engine's names for them, at ZITADEL's addresses. */
const endpoints = {
  authorization: { path: '/oauth/v2/authorize', methods: 'GET, POST' },
  token: { path: '/oauth/v2/token', methods: 'POST' },
  introspection: { path: '/oauth/v2/introspect', methods: 'POST' },
  revocation: { path: '/oauth/v2/revoke', methods: 'POST' },
  pushed_authorization_request: { path: '/oauth/v2/par', methods: 'POST' },
  device_authorization: { path: '/oauth/v2/device_authorization', methods: 'POST' },
  code_verification: { path: '/device', methods: 'GET, POST' },
  registration: { path: '/oauth/v2/register', methods: 'POST' },
  jwks: { path: '/oauth/v2/keys', methods: 'GET' },
  userinfo: { path: '/oidc/v1/userinfo', methods: 'GET, POST' },
  end_session: { path: '/oidc/v1/end_session', methods: 'GET, POST' },
} as const satisfies Record<string, Address>

/** What the engine serves where RFC 8414 and OpenID Connect Discovery want it. */
const wellKnown: readonly Address[] = [
  { path: '/.well-known/openid-configuration', methods: 'GET' },
  { path: '/.well-known/oauth-authorization-server', methods: 'GET' },
]

/** The paths of all endpoints, as the engine wants to be told them. */
export const routes = Object.fromEntries(Object.entries(endpoints).map(([name, { path }]) => [name, path]))

const methodsByPath = new Map([...Object.values(endpoints), ...wellKnown].map(({ path, methods }) => [path, methods]))

/**
 * Takes the parameters off the address at which a sign-in goes on. What was asked is in the store; when it is not there any more, the engine would
 * believe the address, and fail on some of what it says.
 */
export function forgetParameters(ctx: Context): void {
  if (ctx.path.startsWith(`${endpoints.authorization.path}/`)) ctx.querystring = ''
}

/** Answers 405 where only the method is wrong. The engine knows no address that is asked with another one; a developer wants to be told. */
export function refuseMethod(ctx: Context): void {
  const allowed = methodsByPath.get(ctx.path)
  if (!allowed) return
  ctx.status = 405
  ctx.set('Allow', allowed)
  ctx.body = {
    error: 'invalid_request',
    error_description: `${ctx.path} is asked with ${allowed.replace(', ', ' or ')}, not with ${ctx.method}`,
  }
}
