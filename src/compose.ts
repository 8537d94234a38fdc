/** Compose: the only file that knows every room. It wires the domain over a store, and the server over the domain; it decides nothing. */
import { createServer, type Server } from 'node:http'
import { type Clock, systemClock } from '#src/base/clock.ts'
import { createCatalogue } from '#src/domain/applications/catalogue.ts'
import { createRecorder } from '#src/domain/audit/recorder.ts'
import { createKeys } from '#src/domain/keys/keys.ts'
import { createSealer } from '#src/domain/keys/seal.ts'
import { createMetadata } from '#src/domain/metadata/metadata.ts'
import type { Stores } from '#src/domain/stores.ts'
import { createPasswords } from '#src/domain/users/passwords.ts'
import { createSignIn } from '#src/domain/users/signIn.ts'
import { createThrottle } from '#src/domain/users/throttle.ts'
import { createUsers } from '#src/domain/users/users.ts'
import { createEngine } from '#src/engine/engine.ts'
import { healthEndpoints } from '#src/http/health/health.ts'
import { homeEndpoints } from '#src/http/home/home.ts'
import { createEnginePages } from '#src/http/interactions/enginePages.ts'
import { interactionEndpoints } from '#src/http/interactions/interactions.ts'
import { createCsrf } from '#src/http/kit/csrf.ts'
import { createKnownDevices } from '#src/http/kit/device.ts'
import { routes } from '#src/http/kit/endpoint.ts'
import { pinnedHost, securityHeaders, strictTransport } from '#src/http/kit/headers.ts'
import { createPages } from '#src/http/kit/pages.ts'
import { answerProblem, problems } from '#src/http/kit/problems.ts'
import { requestLog } from '#src/http/kit/request.ts'
import { createZitadelSurface } from '#src/http/zitadel/surface.ts'
import type { Configuration } from '#src/platform/config.ts'
import type { Log } from '#src/platform/log.ts'
import { secretInDirectory } from '#src/platform/secret.ts'
import { openStores } from '#src/storage/open.ts'

export type Domain = ReturnType<typeof composeDomain>

/** The domain over a store. */
export function composeDomain({ stores, secrets, now = systemClock }: { stores: Stores; secrets: readonly string[]; now?: Clock }) {
  const recorder = createRecorder({ now })
  const sealer = createSealer(secrets)
  const passwords = createPasswords()
  const endSessions = (userId: string) => stores.artifacts.removeByAccount(userId)
  const users = createUsers({ store: stores.users, tokens: stores.tokens, passwords, recorder, endSessions })
  const throttle = createThrottle({ store: stores.attempts, now })
  return {
    now,
    stores,
    sealer,
    recorder,
    users,
    metadata: createMetadata({ store: stores.metadata, recorder }),
    catalogue: createCatalogue({ store: stores.catalogue, recorder }),
    keys: createKeys({ store: stores.keys, sealer, recorder }),
    signIn: createSignIn({ users, passwords, throttle, audit: stores.audit, recorder }),
  }
}

/** Opens the configured store with the domain over it; `close` it when done. @throws CannotStart */
export async function openDomain(
  configuration: Pick<Configuration, 'DOSSIER_STORE' | 'DOSSIER_SECRET'>,
  now: Clock = systemClock,
): Promise<Domain> {
  const address = configuration.DOSSIER_STORE
  const stores = await openStores(address, { now })
  try {
    const secrets = configuration.DOSSIER_SECRET ?? (address.kind === 'sqlite' ? [secretInDirectory(address.directory)] : [])
    const domain = composeDomain({ stores, secrets, now })
    await domain.catalogue.bootstrap()
    return domain
  } catch (error) {
    await stores.close()
    throw error
  }
}

export interface Service {
  readonly server: Server
  /** From now on `/readyz` answers that the server goes away. */
  announceShutdown(): void
}

/** The server over the domain: not listening yet. */
export async function composeService(configuration: Configuration, domain: Domain, log: Log): Promise<Service> {
  const issuer = configuration.DOSSIER_ISSUER
  const secure = issuer.startsWith('https:')
  const { stores, catalogue, users, metadata, keys, sealer, signIn, recorder, now } = domain
  let draining = false

  const pages = createPages({ siteName: async () => (await catalogue.root()).organization.name })
  const csrf = createCsrf({ secrets: sealer.derive('csrf'), secure })
  const devices = createKnownDevices({ secrets: sealer.derive('known device'), secure })
  const engine = await createEngine({
    issuer,
    artifacts: stores.artifacts,
    catalogue,
    users,
    keys,
    pages: createEnginePages(pages),
    cookieSecrets: sealer.derive('cookies'),
    now,
    onFault: (error, ctx) => log.error({ requestId: ctx.state.requestId, err: error }, 'the engine failed'),
  })

  const { app, interactions, verifyBearer } = engine
  app.silent = true
  app.proxy = configuration.DOSSIER_TRUST_PROXY > 0
  app.maxIpsCount = configuration.DOSSIER_TRUST_PROXY
  pinAddresses(app.request, issuer)

  app.use(requestLog(log))
  app.use(securityHeaders())
  if (secure) app.use(strictTransport())
  app.use(problems({ pages, log }))
  app.use(
    pinnedHost(issuer, configuration.DOSSIER_TRUST_PROXY, (ctx) =>
      answerProblem(ctx, pages, {
        status: 421,
        code: 'wrong_host',
        title: 'Request error',
        sentence: `This service answers at ${issuer} only.`,
      }),
    ),
  )
  app.use(
    routes([
      ...healthEndpoints({ ping: () => stores.ping(), isDraining: () => draining }),
      ...pages.assets,
      ...homeEndpoints({ pages, issuer }),
      ...interactionEndpoints({ interactions, signIn, users, audit: stores.audit, recorder, csrf, devices, pages }),
    ]),
  )
  for (const middleware of engine.middleware) app.use(middleware)
  const { organization, ownProjectId } = await catalogue.root()
  app.use(createZitadelSurface({ metadata, verifyBearer, ownProjectId: () => ownProjectId, organizationId: () => organization.id }))

  const server = createServer(
    { maxHeaderSize: 32 * 1024, requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 65_000 },
    app.callback(),
  )
  return {
    server,
    announceShutdown() {
      draining = true
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
