/**
 * Dynamic client registration (RFC 7591) and its management (RFC 7592). The engine owns the protocol; here is who may register, what is looked at before
 * the engine does, and that replies say what was kept: a secret only when it was made, for what is stored is a hash.
 */
import type { Context, Middleware } from 'koa'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { isRegistered, type SigningAlgorithm } from '#src/domain/applications/application.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { RegistrationTokens } from '#src/domain/sessions/registrationTokens.ts'
import { hashSecret, secretMatches } from '#src/domain/users/secrets.ts'
import type { Throttle } from '#src/domain/users/throttle.ts'
import { signing } from './algorithms.ts'
import { ownClientMetadata } from './clients.ts'
import { errors, replaceStep, type Step } from './internals.ts'
import { secretMadeIn } from './registrar.ts'

const path = '/oauth/v2/register'

/** What a stranger says about names of ours is not heard; software statements are refused, because nobody's are trusted. */
export function judgeOwnMetadata(ctx: unknown, name: string, value: unknown, metadata: Record<string, unknown>): void {
  if (name === 'software_statement' && value !== undefined)
    throw new errors.UnapprovedSoftwareStatement('software_statement: none is accepted')
  if (name === 'request_uris') assertRequestUris(value)
  // Without a request it is the catalogue that speaks.
  else if (ctx !== undefined && value !== undefined) delete metadata[name]
}

function assertRequestUris(value: unknown): void {
  const isRight =
    value === undefined ||
    (Array.isArray(value) && value.every((uri) => typeof uri === 'string' && /^https?:/.test(uri) && URL.canParse(uri)))
  if (!isRight) throw new errors.InvalidClientMetadata('request_uris must only contain web uris')
}

type EnsureKeys = (algorithms: readonly SigningAlgorithm[]) => Promise<void>

const ensures = new WeakMap<object, EnsureKeys>()

/** Lets `ensure` make keys of algorithms that applications register for at one Provider. */
export const makeKeysWith = (provider: object, ensure: EnsureKeys) => void ensures.set(provider, ensure)

type Body = Readonly<Record<string, unknown>>

const bodyOf = (ctx: KoaContextWithOIDC) => (ctx.oidc as unknown as { body: Body }).body

/** The client secret of an update must be the client's own (RFC 7592, section 2.2). The engine would hold it against the hash. */
const equalSecret = (original: Step): Step =>
  function equalChecks(ctx, next) {
    const { client_secret: given, ...rest } = bodyOf(ctx)
    const { clientSecret, clientAuthMethod } = ctx.oidc.client as unknown as { clientSecret?: string; clientAuthMethod: string }
    const expected = clientSecret !== undefined && clientAuthMethod === 'client_secret_jwt' ? hashSecret(clientSecret) : clientSecret
    const isOwn = typeof given === 'string' && expected !== undefined && secretMatches(given, expected)
    if (given !== undefined && !isOwn) throw new errors.InvalidRequest('client_secret: it is not the one of this client')
    Object.assign(ctx.oidc, { body: rest })
    return original(ctx, next)
  }

/** Looks at what the engine would stumble over, and answers what was kept in place of what was asked for. */
const registering = (original: Step): Step =>
  async function registrationResponse(ctx, next) {
    const body = bodyOf(ctx)
    for (const name of ['redirect_uris', 'post_logout_redirect_uris']) assertAddresses(name, body[name])
    const asked = new Set(Object.entries(body).flatMap(([name, value]) => (name.endsWith('_signed_response_alg') ? [value] : [])))
    // The engine takes no client that it could not sign for.
    await ensures.get(ctx.oidc.provider)?.(signing.filter((each) => asked.has(each)))
    await original(ctx, next)
    await tell(ctx)
  }

const reading = (original: Step): Step =>
  async function clientReadResponse(ctx, next) {
    await original(ctx, next)
    await tell(ctx)
  }

function assertAddresses(name: string, value: unknown): void {
  const isRight =
    value === undefined || value === null || (Array.isArray(value) && value.every((each) => typeof each === 'string' && URL.canParse(each)))
  if (!isRight) throw new errors.InvalidClientMetadata(`${name} must be a list of absolute addresses`)
}

/** What is ours, and what the engine takes for the secret: its hash. */
const untold = new Set<string>([
  ...ownClientMetadata.filter((each) => each !== 'request_uris'),
  'client_secret',
  'client_secret_expires_at',
])

async function tell(ctx: KoaContextWithOIDC): Promise<void> {
  const { client_id: clientId, registration_client_uri, registration_access_token } = ctx.body as Readonly<Record<string, string>>
  const client = await ctx.oidc.provider.Client.find(clientId as string)
  const metadata = Object.entries(client?.metadata() ?? {}).filter(([name]) => !untold.has(name))
  const secret = secretMadeIn(ctx)
  ctx.body = {
    ...Object.fromEntries(metadata),
    ...(secret !== undefined && { client_secret: secret, client_secret_expires_at: 0 }),
    registration_client_uri,
    registration_access_token,
  }
}

/** Wraps the steps, before a Provider is made. */
export function installRegistrationSteps(): void {
  replaceStep('registration', 'registrationResponse', registering)
  replaceStep('registrationRead', 'clientReadResponse', reading)
  replaceStep('registrationUpdate', 'equalChecks', equalSecret)
  replaceStep('registrationUpdate', 'clientUpdateResponse', registering)
}

export interface RegistrationDeps {
  readonly catalogue: Catalogue
  readonly tokens: RegistrationTokens
  readonly throttle: Pick<Throttle, 'guess'>
}

/** Judges who may register, by the setting `dynamicClientRegistration`. */
export function createRegistration({ catalogue, tokens, throttle }: RegistrationDeps): Middleware {
  return async function registration(ctx, next) {
    if (ctx.path !== path && !ctx.path.startsWith(`${path}/`)) return next()
    if (ctx.path === path && ctx.method === 'POST') return register(ctx, next)
    // The engine would take the token away from the owner of an application that is switched off for a while.
    const application = (await catalogue.find(ctx.path.slice(path.length + 1)))?.application
    if (application && isRegistered(application) && !application.active)
      return refuse(ctx, 403, 'access_denied', 'the application is deactivated')
    return next()
  }

  async function register(ctx: Context, next: () => Promise<unknown>): Promise<void> {
    const { dynamicClientRegistration: who } = (await catalogue.root()).settings
    if (who === 'closed') return refuse(ctx, 403, 'access_denied', 'registration is closed; the setting dynamicClientRegistration opens it')
    if (who === 'open') {
      const wait = await throttle.guess('registration', ctx.ip)
      if (wait === 0) return void (await next())
      ctx.set('Retry-After', String(wait))
      return refuse(ctx, 429, 'temporarily_unavailable', `there were too many registrations; try again in ${wait} seconds`)
    }
    const token = /^Bearer (\S+)$/i.exec(ctx.get('Authorization'))?.[1]
    const use = token === undefined ? undefined : await tokens.use(token)
    if (!use) {
      ctx.set('WWW-Authenticate', 'Bearer error="invalid_token", error_description="an initial access token is needed"')
      return refuse(ctx, 401, 'invalid_token', 'an initial access token is needed; "dossier registration-token create" makes one')
    }
    try {
      await next()
    } finally {
      // What did not come to be has not used the token up.
      if (ctx.status !== 201) await use.giveBack()
    }
  }
}

function refuse(ctx: Context, status: number, error: string, description: string): void {
  ctx.status = status
  ctx.set('Cache-Control', 'no-store')
  ctx.body = { error, error_description: description }
}
