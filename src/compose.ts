/**
 * Compose: this file and composeDomain.ts are the only ones that know every room. They wire the domain over a store, and the server over the
 * domain; they decide nothing. Whoever needs no server (the command line) imports the other one, which loads no engine.
 */
import type { Server } from 'node:http'
import type { Context } from 'koa'
import { Busy } from '#src/base/errors.ts'
import { sweepDeletions } from '#src/domain/accounts/deletion.ts'
import { tellOfEvents } from '#src/domain/actions/telling.ts'
import { withBuiltIn } from '#src/domain/applications/builtIn.ts'
import { createManaging } from '#src/domain/applications/managing.ts'
import { createGathering } from '#src/domain/audit/gathering.ts'
import { createLease } from '#src/domain/sessions/lease.ts'
import type { User } from '#src/domain/users/user.ts'
import { createEngine } from '#src/engine/engine.ts'
import { createAppServices } from '#src/http/appservices/appservices.ts'
import { refusalOf } from '#src/http/appservices/errors.ts'
import { createKeepBegun } from '#src/http/appservices/redirects.ts'
import { forwardAuthEndpoints } from '#src/http/forwardAuth/forwardAuth.ts'
import { healthEndpoints } from '#src/http/health/health.ts'
import { homeEndpoints } from '#src/http/home/home.ts'
import { deviceEndpoints, guardedUserCodes } from '#src/http/interactions/device.ts'
import { createEnginePages } from '#src/http/interactions/enginePages.ts'
import { interactionEndpoints } from '#src/http/interactions/interactions.ts'
import { engineBodies } from '#src/http/kit/body.ts'
import { createCsrf } from '#src/http/kit/csrf.ts'
import { createKnownDevices } from '#src/http/kit/device.ts'
import { type Endpoint, routes } from '#src/http/kit/endpoint.ts'
import { pinnedHost, securityHeaders, strictTransport } from '#src/http/kit/headers.ts'
import { createMessages } from '#src/http/kit/messages.ts'
import { OnePortServer } from '#src/http/kit/onePort.ts'
import { createPages } from '#src/http/kit/pages.ts'
import { postedRequests } from '#src/http/kit/postedRequests.ts'
import { answerProblem, hasGone, problems } from '#src/http/kit/problems.ts'
import { readyFirst } from '#src/http/kit/ready.ts'
import { createRequestLines, requestLog } from '#src/http/kit/request.ts'
import { describeEvent } from '#src/http/zitadel/action/events.ts'
import { createZitadelSurface } from '#src/http/zitadel/surface.ts'
import type { Configuration } from '#src/platform/config.ts'
import type { Log } from '#src/platform/log.ts'
import { readVersion } from '#src/platform/version.ts'
import { composeAccounts } from './composeAccounts.ts'
import { composeAppServices } from './composeAppServices.ts'
import type { Domain } from './composeDomain.ts'
import { composePages } from './composePages.ts'

export { type Domain, openDomain } from './composeDomain.ts'

export interface Service {
  readonly server: Server
  /** The addresses of console, account and playground, as data. */
  readonly pages: readonly Pick<Endpoint, 'method' | 'path'>[]
  /** From now on `/readyz` answers that the server goes away. */
  announceShutdown(): void
  /** Writes what is left to write, when the last request is done. */
  finish(): Promise<void>
}

/** The server over the domain: not listening yet. */
export async function composeService(configuration: Configuration, domain: Domain, log: Log): Promise<Service> {
  const issuer = configuration.DOSSIER_ISSUER
  const secure = issuer.startsWith('https:')
  const { stores, users, metadata, keys, sealer, signIn, throttle, endings, registrationTokens, recorder, now } = domain
  let draining = false

  const catalogue = withBuiltIn(domain.catalogue, issuer)
  const messages = createMessages()
  const pages = createPages({ look: async () => (await catalogue.root()).organization, messages })
  const csrf = createCsrf({ secrets: sealer.derive('csrf'), secure })
  const devices = createKnownDevices({ secrets: sealer.derive('known device'), secure })
  const gathering = createGathering({ store: stores.audit, onFault: (err) => log.error({ err }, 'events of tokens wait to be written') })
  const engine = await createEngine({
    issuer,
    artifacts: stores.artifacts,
    catalogue,
    users,
    customDataOf: (user) => appServices.customDataOfUser(user),
    metadata,
    actions: domain.actions,
    endings,
    keys,
    pages: createEnginePages(pages),
    cookieSecrets: sealer.derive('cookies'),
    openSecret: sealer.open,
    sealSecret: sealer.seal,
    registrationTokens,
    throttle,
    audit: stores.audit,
    recorder,
    gathering,
    outboundAllow: configuration.DOSSIER_OUTBOUND_ALLOW,
    trustsProxy: configuration.DOSSIER_TRUST_PROXY > 0,
    now,
    onRedirectMismatch: (facts, ctx) => log.warn({ requestId: ctx.state.requestId, ...facts }, 'redirect_uri is not registered'),
    onUndelivered: (facts) => log.warn(facts, 'an application was not told of a sign-out'),
    onFault: (error, ctx) => {
      if (!hasGone(ctx)) log.error({ requestId: ctx.state.requestId, err: error }, 'the engine failed')
    },
  })

  const { app, interactions, verifyBearer, forwardAuth } = engine
  app.silent = true
  app.on('error', (error: NodeJS.ErrnoException, ctx?: Context) => {
    // What Node cannot read as HTTP is the fault of whoever sent it.
    const gone = (ctx && hasGone(ctx)) || /^(ECONNRESET|EPIPE|ECONNABORTED|HPE_.*)$/.test(error.code ?? '')
    if (!gone) log.error({ requestId: ctx?.state.requestId, err: error }, 'a request failed')
  })
  app.proxy = configuration.DOSSIER_TRUST_PROXY > 0
  app.maxIpsCount = configuration.DOSSIER_TRUST_PROXY
  pinAddresses(app.request, issuer)

  const writeLine = createRequestLines(log)
  app.use(requestLog(writeLine))
  if (secure) app.use(strictTransport())
  app.use(problems({ pages, log }))
  app.use(
    pinnedHost(issuer, configuration.DOSSIER_TRUST_PROXY, (ctx) =>
      answerProblem(ctx, pages, {
        status: 421,
        code: 'wrong_host',
        sentence: 'wrongHost',
        facts: { issuer },
      }),
    ),
  )
  for (const middleware of engine.first) app.use(middleware)
  const { organization, ownProjectId } = await catalogue.root()
  const managing = createManaging({
    findUser: users.find,
    ownProjectId: () => ownProjectId,
    exclusively: (name, work) => domain.lock(name, work, { patienceMs: 10_000, refuse: () => new Busy('this change') }),
  })
  const isAdministrator = (user: User) => managing.heldBy(user).includes('IAM_OWNER')
  const accounts = composeAccounts({
    configuration,
    domain,
    messages,
    outboundFetch: engine.fetch,
    isAdministrator,
    // What a mail server answers may have the address in it.
    onFault: (error) => {
      const { name, code, responseCode } = error as NodeJS.ErrnoException & { readonly responseCode?: number }
      log.warn({ name, code, responseCode }, 'a message about an account could not be sent')
    },
  })
  const departures = sweepDeletions({
    deletions: accounts.deletions,
    lease: createLease({ artifacts: stores.artifacts, id: 'account deletions', now }),
    onFault: (err) => log.error({ err }, 'accounts that are due could not be removed'),
  })
  const appServices = composeAppServices({
    configuration,
    domain,
    log,
    ...engine.appTokens,
    outboundFetch: engine.fetch,
    isAdministrator,
    now,
  })
  app.use(
    createZitadelSurface({
      metadata,
      users,
      codes: domain.codes,
      checkPassword: domain.checkPassword,
      loginSessions: domain.loginSessions,
      actions: domain.actions,
      ping: () => stores.ping(),
      authorizationRequests: engine.authorizationRequests,
      audit: stores.audit,
      catalogue,
      projects: domain.projects,
      applications: domain.applications,
      grants: domain.grants,
      issuer,
      sessions: engine.sessions,
      now,
      verifyBearer,
      ownProjectId: () => ownProjectId,
      managing,
      organizationId: () => organization.id,
    }),
  )
  app.use(
    createAppServices({
      ...appServices,
      issuer,
      onFault: (err, ctx) => log.error({ requestId: ctx.state.requestId, err }, 'a request failed'),
    }),
  )
  // Before the headers of pages, which a proxy only throws away.
  app.use(routes(forwardAuthEndpoints({ forwardAuth, catalogue, sealer, pages, now })))
  app.use(securityHeaders())
  const ownPages = composePages({
    version: readVersion(),
    configuration,
    domain,
    pages,
    csrf,
    catalogue,
    managing,
    verifyBearer,
    ownProjectId,
    accounts,
    sessions: engine.sessions,
    accesses: engine.accesses,
    knownByApps: appServices.knownByApps,
    previewClaims: engine.previewClaims,
    customData: appServices.customData,
    pageLogins: appServices.pageLogins,
    newClientAppId: appServices.newClientAppId,
    listener: () => app.callback(),
  })
  app.use(
    routes([
      ...healthEndpoints({ ping: () => stores.ping(), isDraining: () => draining }),
      ...pages.assets,
      ...homeEndpoints({ pages, issuer }),
      ...ownPages,
      ...deviceEndpoints({ issuer, pages }),
      ...interactionEndpoints({
        interactions,
        signIn,
        pageLogins: appServices.pageLogins,
        keepBegun: createKeepBegun(issuer),
        problemOf: (error) => refusalOf(error)?.message,
        users,
        ownProjectId,
        registration: accounts.registration,
        passwordReset: accounts.passwordReset,
        deletions: accounts.deletions,
        audit: stores.audit,
        recorder,
        csrf,
        devices,
        pages,
      }),
    ]),
  )
  app.use(postedRequests({ paths: ['/oauth/v2/authorize', '/oidc/v1/end_session'], artifacts: stores.artifacts, pages, now }))
  app.use(engineBodies({ forms: ['/oauth/v2/', '/oidc/v1/', '/device'], json: '/oauth/v2/register' }))
  app.use(guardedUserCodes({ throttle, pages }))
  for (const middleware of engine.around) app.use(middleware)

  const telling = tellOfEvents({
    store: stores.actions,
    following: domain.following.actions,
    lease: createLease({ artifacts: stores.artifacts, id: 'actions', now }),
    runTarget: engine.runTarget,
    describe: (event) => describeEvent(event, organization.id),
    onFault: (err) => log.error({ err }, 'targets could not be told of events'),
  })
  const server = new OnePortServer(
    { maxHeaderSize: 128 * 1024, requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 65_000 },
    readyFirst({ issuer, find: engine.ready, writeLine }, app.callback()),
  )
  return {
    server,
    pages: ownPages,
    announceShutdown() {
      draining = true
    },
    async finish() {
      await Promise.all([telling.stop(), appServices.stop(), departures.stop(), accounts.settled()])
      engine.stop()
      return gathering.flush()
    },
  }
}

/** Addresses that we hand out come from the issuer, never from a request's Host or forwarding headers. */
function pinAddresses(request: object, issuer: string): void {
  const { host, hostname, protocol } = new URL(issuer)
  Object.defineProperties(request, {
    host: { get: () => host },
    hostname: { get: () => hostname },
    protocol: { get: () => protocol.slice(0, -1) },
  })
}
