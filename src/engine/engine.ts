/**
 * The engine: everything that OpenID Connect asks for, by `oidc-provider`. This is the only room that imports it.
 *
 * Owns protocol, tokens and their claims. Asks the domain who somebody is and what an application may do; hands the pages that people see
 * to http/interactions, as functions; must not know HTML, a database or a transport other than Koa's context.
 */
import type Koa from 'koa'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Clock } from '#src/base/clock.ts'
import { Busy, StoreUnavailable } from '#src/base/errors.ts'
import type { Actions } from '#src/domain/actions/actions.ts'
import { createFunctions } from '#src/domain/actions/functions.ts'
import { createRunTarget, type RunTarget } from '#src/domain/actions/run.ts'
import type { SigningAlgorithm } from '#src/domain/applications/application.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { Actor, AuditStore } from '#src/domain/audit/events.ts'
import type { Gathering } from '#src/domain/audit/gathering.ts'
import type { Recorder } from '#src/domain/audit/recorder.ts'
import type { Keys } from '#src/domain/keys/keys.ts'
import type { Metadata } from '#src/domain/metadata/metadata.ts'
import type { Accesses } from '#src/domain/sessions/access.ts'
import type { AuthorizationRequests } from '#src/domain/sessions/authorizationRequests.ts'
import type { VerifyBearer } from '#src/domain/sessions/bearer.ts'
import type { Endings } from '#src/domain/sessions/endings.ts'
import type { RegistrationTokens } from '#src/domain/sessions/registrationTokens.ts'
import type { Sessions } from '#src/domain/sessions/session.ts'
import type { ArtifactStore } from '#src/domain/sessions/store.ts'
import type { Throttle } from '#src/domain/users/throttle.ts'
import type { UserId } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import { createAccesses } from './accesses.ts'
import { createSignAccessToken, installAccessTokens, newTokenId } from './accessTokens.ts'
import { createFindAccount, type FindsAccounts } from './account.ts'
import { installAcr } from './acr.ts'
import { createAdapter } from './adapter.ts'
import { forgetParameters, refuseMethod } from './addresses.ts'
import { appendingToAccessTokens, appendingToIdTokens, createAppend, createCallOut } from './appending.ts'
import { createFindToken, createVerifyBearer } from './bearer.ts'
import { installClientCache } from './clientCache.ts'
import type { OpenSecret } from './clients.ts'
import { engineConfiguration } from './configuration.ts'
import { createCookieSigner } from './cookies.ts'
import { createAuthorizationRequests } from './customLogin.ts'
import { completeDiscovery } from './discovery.ts'
import { createDocuments } from './documents.ts'
import { createTokenEvents, type OnRedirectMismatch, recordEngineEvents } from './events.ts'
import { installFormPost, replaceEngineForm } from './formPost.ts'
import { createForwardAuth, type ForwardAuth } from './forwardAuth.ts'
import { installGrantProlongation } from './grants.ts'
import { createSignIdToken, installIdTokens } from './idTokens.ts'
import { createInteractions, type Interactions } from './interactions.ts'
import { fetchGuarded, Provider, replaceKeys, stateOf } from './internals.ts'
import { createIntrospection } from './introspection.ts'
import { createJwtBearer } from './jwtBearer.ts'
import { createKeyring } from './keyring.ts'
import { installLogoutDeliveries, type OnUndelivered } from './logoutDeliveries.ts'
import { installMachineGrant } from './machineGrant.ts'
import { createMachineTokens } from './machineTokens.ts'
import type { WithTimeout } from './outbound.ts'
import { installOverrides } from './overrides.ts'
import type { EnginePages } from './pages.ts'
import { createPreview, type PreviewClaims } from './preview.ts'
import { createProves, installReplayDetection } from './proofs.ts'
import { createAuthorize } from './quick/authorize.ts'
import { createQuick } from './quick/quick.ts'
import { installReasons } from './reasons.ts'
import { createRegistrar } from './registrar.ts'
import { createRegistration, makeKeysWith } from './registration.ts'
import { createSessions, tellOfEndings } from './sessions.ts'
import { installSteps, introspectWith } from './steps.ts'
import { installTokenExchange } from './tokenExchange.ts'
import { createUserinfo } from './userinfo.ts'

export interface EngineDeps {
  readonly issuer: string
  readonly artifacts: ArtifactStore
  readonly catalogue: Catalogue
  readonly users: Users
  /** The document that an application keeps of a user, if there is one. */
  readonly customDataOf: FindsAccounts['customDataOf']
  readonly metadata: Pick<Metadata, 'set'>
  readonly actions: Pick<Actions, 'list' | 'signingKeyOf'>
  /** Where it stands which sessions ended with everything else of a user. */
  readonly endings: Pick<Endings, 'take'>
  readonly keys: Keys
  readonly pages: EnginePages
  /** Sign cookies; the first signs, all verify. */
  readonly cookieSecrets: readonly Buffer[]
  /** Opens what was sealed for an application. */
  readonly openSecret: OpenSecret
  readonly sealSecret: (secret: string, clientId: string) => string
  readonly registrationTokens: RegistrationTokens
  readonly throttle: Pick<Throttle, 'guess'>
  readonly audit: Pick<AuditStore, 'record'>
  readonly recorder: Recorder
  /** For what happens to tokens. */
  readonly gathering: Gathering
  /** Host names and ranges that outgoing calls may reach although they are private. */
  readonly outboundAllow: readonly string[]
  readonly trustsProxy: boolean
  readonly now: Clock
  /** Told of faults of ours, which the caller sees only as `server_error`. */
  readonly onFault: (error: unknown, ctx: Koa.Context) => void
  readonly onUndelivered: OnUndelivered
  readonly onRedirectMismatch: (facts: Parameters<OnRedirectMismatch>[0], ctx: Koa.Context) => void
}

export interface Engine {
  /** The Koa application with the engine's routes at its end; middleware added with `use` runs before them. */
  readonly app: Koa
  /** Keeps the engine up to date with the store, and answers by itself what is asked most: discovery, keys, userinfo. Comes early. */
  readonly first: readonly Koa.Middleware[]
  /** Sends known browsers on, and completes what the engine's routes answer. Comes right before them. */
  readonly around: readonly Koa.Middleware[]
  /** Discovery and keys by address, if they stand ready and are up to date; a request makes them so. */
  readonly ready: (path: string) => { readonly body: string; readonly headers: readonly string[] } | undefined
  readonly interactions: Interactions
  /** Requests that are answered by a sign-in page of somebody else. */
  readonly authorizationRequests: AuthorizationRequests
  readonly verifyBearer: VerifyBearer
  readonly accesses: Accesses
  readonly sessions: Sessions
  /** What an application would be told of somebody. */
  readonly previewClaims: PreviewClaims
  /** Calls a target of the operator's. */
  readonly runTarget: RunTarget
  /** Signs and verifies tokens of App Services apps, by keys that are published. `verify` knows neither `exp` nor what kind of token it is. */
  readonly appTokens: {
    sign(payload: string): string | Promise<string>
    verify(jwt: string): Promise<Readonly<Record<string, unknown>> | undefined>
  }
  /** Calls out: to private networks only where the operator's list says so. */
  readonly fetch: (url: string, options: WithTimeout) => Promise<Response>
  /** Gives up what would only be done later. */
  readonly stop: () => void
  readonly forwardAuth: ForwardAuth
}

const system: Actor = { kind: 'system' }

/** Starts the engine: makes keys when there are none, and serves from then on. */
export async function createEngine(deps: EngineDeps): Promise<Engine> {
  const { issuer, artifacts, catalogue, keys, pages, now } = deps
  const users = { ...deps.users, customDataOf: deps.customDataOf }
  await keys.ensure(['RS256', 'ES256'], system)
  installSteps()
  const keyring = createKeyring({ keys, now })
  const published = (await keyring.refresh(catalogue.revision())) ?? []
  let root = await catalogue.root()
  let version = 0

  const registrar = createRegistrar({ catalogue, recorder: deps.recorder, sealSecret: deps.sealSecret })
  const cookieSigner = createCookieSigner(deps.cookieSecrets)
  const runTarget = createRunTarget({
    callOut: createCallOut(() => provider),
    signingKeyOf: deps.actions.signingKeyOf,
    gathering: deps.gathering,
    recorder: deps.recorder,
  })
  const setMetadata = (userId: string, values: readonly { key: string; value: Uint8Array }[]) =>
    deps.metadata.set(userId as UserId, values, system)
  const functions = createFunctions({ store: deps.actions, runTarget, setMetadata })
  await functions.load()
  const append = createAppend({ functions, users })
  const provider = new Provider(
    issuer,
    engineConfiguration({
      adapter: createAdapter({ artifacts, catalogue, users, openSecret: deps.openSecret, registrar, now }),
      findAccount: createFindAccount({ users, catalogue, append }),
      catalogue,
      pages,
      cookieSigner,
      jwks: { keys: published } as never,
      settings: () => root.settings,
      secure: issuer.startsWith('https:'),
      outboundAllow: deps.outboundAllow,
      trustsProxy: deps.trustsProxy,
    }),
  )
  installOverrides(provider, () => root.settings.sessionTtlSeconds)
  installAcr(provider, now)
  installReplayDetection(provider, { artifacts, now })
  installFormPost(provider, pages)
  installReasons(provider)
  installClientCache(provider, catalogue)
  const signAccessToken = appendingToAccessTokens(createSignAccessToken({ issuer, keyring }), append)
  const { issuedIn, storedIdOf } = installAccessTokens({ provider, artifacts, catalogue, users, keyring, signJwt: signAccessToken, now })
  installIdTokens({ provider, catalogue, idTokenTtlSeconds: () => root.settings.idTokenTtlSeconds, issuedIn, now })
  installGrantProlongation(provider, () => root.settings, now)
  for (const Model of [provider.Grant, provider.RefreshToken, provider.AuthorizationCode]) {
    Object.assign(Model.prototype, { generateTokenId: () => newTokenId(now()) })
  }
  const issueToMachine = createMachineTokens({ artifacts, settings: () => root.settings, now })
  installMachineGrant({ provider, users, issue: issueToMachine })
  const tokenEvents = createTokenEvents({ gathering: deps.gathering, recorder: deps.recorder })
  recordEngineEvents({
    provider,
    audit: deps.audit,
    recorder: deps.recorder,
    tokens: tokenEvents,
    onRedirectMismatch: (facts, ctx) => deps.onRedirectMismatch(facts, ctx as Koa.Context),
    onFault: (error, ctx) => deps.onFault(error, ctx as Koa.Context),
  })
  const putOff = new WeakMap<object, Error>()
  provider.on('server_error', (ctx, error) => {
    if (error instanceof StoreUnavailable || error instanceof Busy) putOff.set(ctx, error)
    else deps.onFault(error, ctx as Koa.Context)
  })

  /** Brings keys and settings up to date when anybody has changed them. */
  async function refresh(revision: number): Promise<void> {
    root = await catalogue.root()
    await functions.load()
    const changed = await keyring.refresh(revision)
    if (changed) replaceKeys(provider, changed)
    version += 1
  }

  const upToDate: Koa.Middleware = (_ctx, next) => {
    const revision = catalogue.revision()
    return keyring.isCurrent(revision) ? next() : refresh(revision).then(next)
  }
  const { documents, find: findDocument } = createDocuments({
    version: () => String(version),
    complete(path, document) {
      if (path !== '/oauth/v2/keys') completeDiscovery(document, keyring.algorithms(), root.settings)
    },
  })
  let making = Promise.resolve()
  async function makeMissingKeys(algorithms: readonly SigningAlgorithm[]): Promise<void> {
    const missing = algorithms.filter((each) => !keyring.algorithms().includes(each))
    if (missing.length === 0) return
    await keys.ensure(missing, system)
    await refresh(catalogue.revision())
  }
  makeKeysWith(provider, (algorithms) => {
    // One after the other, so that each sees the keys that the one before has made.
    making = making.catch(() => undefined).then(() => makeMissingKeys(algorithms))
    return making
  })
  const tokens = { artifacts, storedIdOf, now }
  const findToken = createFindToken(tokens)
  installTokenExchange({
    provider,
    artifacts,
    catalogue,
    users,
    findToken,
    signAccessToken,
    audit: deps.audit,
    recorder: deps.recorder,
    now,
  })
  const deliveries = installLogoutDeliveries({
    provider,
    gathering: deps.gathering,
    recorder: deps.recorder,
    onUndelivered: deps.onUndelivered,
  })
  const endedSessions = tellOfEndings({ endings: deps.endings, deliveries, onUndelivered: deps.onUndelivered, now })
  const proves = createProves({ issuer, artifacts, trustsProxy: deps.trustsProxy, now })
  const introspection = createIntrospection({ issuer, findToken, users, catalogue, append })
  introspectWith(provider, introspection.answer)
  const userinfo = createUserinfo({ findToken, proves, users, catalogue, append })
  const signIdToken = appendingToIdTokens(createSignIdToken({ issuer, keyring, now }), append)
  const issuing = { artifacts, catalogue, users, signAccessToken, signIdToken, tokens: tokenEvents, now }
  const quick = createQuick({ ...issuing, introspect: introspection.introspect })
  const jwtBearer = createJwtBearer({ issuer, artifacts, users, issue: issueToMachine, tokens: tokenEvents, now })
  const registration = createRegistration({ catalogue, tokens: deps.registrationTokens, throttle: deps.throttle })
  const authorize = createAuthorize({
    issuer,
    artifacts,
    catalogue,
    users,
    sessionCookie: { name: provider.cookieName('session'), options: stateOf(provider).configuration.cookies.long },
    now,
  })
  const completing: Koa.Middleware = async (ctx, next) => {
    forgetParameters(ctx)
    await next()
    // The engine would call it a fault of ours; it is a request to try again, which whoever is further out knows how to say.
    const reason = putOff.get(ctx)
    if (reason) throw reason
    const engineContext = ctx as unknown as KoaContextWithOIDC
    if (ctx.status === 404 && ctx.body === undefined) refuseMethod(ctx)
    await replaceEngineForm(ctx, pages)
    if (engineContext.oidc?.route === 'introspection') await introspection.complete(engineContext)
    if (engineContext.oidc?.route === 'device_authorization') addQrCode(ctx, issuer)
  }

  return {
    app: provider as unknown as Koa,
    first: [upToDate, documents as Koa.Middleware, userinfo as Koa.Middleware, quick as Koa.Middleware, jwtBearer],
    around: [authorize, registration, completing],
    ready: (path) => (keyring.isCurrent(catalogue.revision()) ? findDocument(path) : undefined),
    interactions: createInteractions(provider, now),
    authorizationRequests: createAuthorizationRequests({
      provider,
      app: provider as unknown as Koa,
      issuer,
      artifacts,
      catalogue,
      cookieSigner,
      now,
    }),
    runTarget,
    appTokens: {
      sign: (payload) => keyring.sign('ES256', payload, 'JWT'),
      verify: (jwt) => keyring.verify(jwt, undefined, 'JWT'),
    },
    fetch: (url, options) => fetchGuarded(provider, url, options),
    verifyBearer: createVerifyBearer({ ...tokens, findToken, proves, catalogue, users }),
    accesses: createAccesses({ artifacts, deliveries, audit: deps.audit, recorder: deps.recorder, now }),
    sessions: createSessions({ artifacts, deliveries, audit: deps.audit, recorder: deps.recorder, now }),
    previewClaims: createPreview({ issuer, users, catalogue, now }),
    stop() {
      endedSessions.stop()
      deliveries.stop()
    },
    forwardAuth: createForwardAuth({ ...issuing, issuer, findToken }),
  }
}

/** Tells a device where to get a QR code of the address that the person opens, beside that address (RFC 8628, section 3.3.1). */
function addQrCode(ctx: Koa.Context, issuer: string): void {
  const body = ctx.body as { user_code?: string } | undefined
  if (ctx.status === 200 && body?.user_code) ctx.body = { ...body, verification_uri_qr: `${issuer}/device/qr?user_code=${body.user_code}` }
}
