/** Compose, App Services: apps, their logins, functions and documents over a domain. */
import { randomBytes } from 'node:crypto'
import type { Clock } from '#src/base/clock.ts'
import { Busy } from '#src/base/errors.ts'
import { nextMoment } from '#src/base/schedule.ts'
import { createVouchForJwt } from '#src/connectors/customJwt.ts'
import { createFacebook } from '#src/connectors/facebook.ts'
import { createMailer } from '#src/connectors/mail.ts'
import { createOpenIdConnect } from '#src/connectors/openIdConnect.ts'
import { createAdminSessions } from '#src/domain/apps/adminSessions.ts'
import type { AppView } from '#src/domain/apps/app.ts'
import { createClientCalls } from '#src/domain/apps/clientCalls.ts'
import { createDataService } from '#src/domain/apps/dataService.ts'
import { createKnownByApps } from '#src/domain/apps/known.ts'
import { createLogins, type VouchFor } from '#src/domain/apps/logins.ts'
import { createPageLogins } from '#src/domain/apps/pageLogins.ts'
import { vouchForAnonymous } from '#src/domain/apps/providers/anonymous.ts'
import { createApiKeys } from '#src/domain/apps/providers/apiKeys.ts'
import { createVouchForCustomFunction } from '#src/domain/apps/providers/customFunction.ts'
import { createEmailPassword, type EmailPassword } from '#src/domain/apps/providers/emailPassword.ts'
import { createOAuth, type OAuth } from '#src/domain/apps/providers/oauth.ts'
import { createAppSessions } from '#src/domain/apps/sessions.ts'
import { systemUser, userObjectOf } from '#src/domain/apps/userObject.ts'
import { lazyDataSource } from '#src/domain/documents/lazy.ts'
import type { IdentityProvider } from '#src/domain/federation/provider.ts'
import { mapMetadata } from '#src/domain/federation/providerMetadata.ts'
import { holds } from '#src/domain/rules/expressions.ts'
import { ruledCollection } from '#src/domain/rules/ruledCollection.ts'
import { createLease } from '#src/domain/sessions/lease.ts'
import { runTriggers } from '#src/domain/triggers/running.ts'
import { createCustomDataOf, createIndexing } from '#src/domain/userdata/customData.ts'
import { createCustomDataEditing } from '#src/domain/userdata/editing.ts'
import { plain } from '#src/domain/userdata/plain.ts'
import { hashSecret } from '#src/domain/users/secrets.ts'
import { IdentityTaken, type User, UsernameTaken } from '#src/domain/users/user.ts'
import { createFunctionRunner } from '#src/functions/runner.ts'
import { renderAppMail } from '#src/http/appservices/mail.ts'
import { callbackPath } from '#src/http/appservices/redirects.ts'
import type { Configuration } from '#src/platform/config.ts'
import type { Log } from '#src/platform/log.ts'
import type { Domain } from './composeDomain.ts'

export interface AppServicesParts {
  readonly configuration: Configuration
  readonly domain: Domain
  readonly log: Log
  /** A compact JWS over JSON, by a key that is published. */
  readonly sign: (payload: string) => string | Promise<string>
  readonly verify: (jwt: string) => Promise<Readonly<Record<string, unknown>> | undefined>
  /** Calls out, to nothing private. */
  readonly outboundFetch: (url: string, options: RequestInit & { readonly timeoutMs?: number }) => Promise<Response>
  /** Whether somebody may administrate everything. */
  readonly isAdministrator: (user: User) => boolean
  readonly now: Clock
}

/** App Services over a domain. `stop` it when the server goes. */
export function composeAppServices({ configuration, domain, log, sign, verify, outboundFetch, isAdministrator, now }: AppServicesParts) {
  const { stores, users, sealer, recorder, throttle, passwords, lock } = domain
  const apps = domain.apps
  const dataSource = lazyDataSource(async () => {
    const { openDocuments } = await import('#src/storage/openDocuments.ts')
    return openDocuments(configuration.dataSource)
  })
  const valuesOf = ({ app, configuration: { values } }: AppView) =>
    Object.fromEntries(
      [...values].map(([name, { value, from_secret }]) => [
        name,
        from_secret && typeof value === 'string' ? apps.secretOf({ app }, value) : value,
      ]),
    )
  const dataService = createDataService({
    dataSource,
    ruled: ruledCollection,
    matcherOf: async (filter) => (await import('#src/storage/openDocuments.ts')).createMatcher(filter),
    valuesOf,
  })
  const functions = createFunctionRunner({
    limits: {
      milliseconds: configuration.DOSSIER_FUNCTION_SECONDS * 1000,
      megabytes: configuration.DOSSIER_FUNCTION_MEMORY_MB,
      threads: 4,
      waiting: 200,
    },
    host: {
      documents: ({ call: { view, facts }, isSystem, user }, operation) =>
        dataService.byPosition({ view, user, isSystem, ...(facts && { facts }) }, operation),
      http: (request) => callOut(outboundFetch, request),
      valuesOf,
      log: ({ view, level, name, text }) => log[level]({ app: view.app.clientAppId, function: name }, text),
    },
  })
  const { callFunction } = functions
  const index = createIndexing({
    dataSource,
    now,
    onIndexMissing: (facts) => log.warn(facts, 'custom user data has no index, and none could be made: make one on that field'),
  })
  // At the start already, so that what is missing is said before somebody waits for it.
  apps
    .list()
    .then((views) => Promise.all(views.map(index)))
    .catch((err: unknown) => log.error({ err }, 'apps could not be read'))
  const customDataOf = createCustomDataOf({
    dataSource,
    index,
    mostBytes: configuration.DOSSIER_CUSTOM_DATA_KB * 1024,
    onLarge: ({ isOmitted, ...facts }) =>
      log.warn(
        facts,
        isOmitted
          ? 'custom user data is too large for a token, which goes without'
          : 'custom user data is larger than 16 KB, and is in every request',
      ),
  })
  const sessions = createAppSessions({ artifacts: stores.artifacts, refreshKeys: sealer.derive('app refresh tokens'), sign, verify, now })
  const apiKeys = createApiKeys({ users, hash: hashSecret, now })
  let emailPassword: EmailPassword | undefined
  const connectors = new Map<string, IdentityProvider>()
  const connectorOf = (type: string) => {
    const found =
      connectors.get(type) ??
      (type === 'oauth2-facebook' ? createFacebook({ fetch: outboundFetch }) : createOpenIdConnect(type, { fetch: outboundFetch, now }))
    connectors.set(type, found)
    return found
  }
  const vouchers: Readonly<Record<string, VouchFor>> = {
    'anon-user': vouchForAnonymous,
    'local-userpass': (...given) => (emailPassword as EmailPassword).vouchFor(...given),
    'api-key': apiKeys.vouchFor,
    'custom-token': createVouchForJwt({ secretOf: apps.secretOf, fetch: outboundFetch, now }),
    'custom-function': createVouchForCustomFunction({ callFunction }),
  }
  const logins = createLogins({
    users,
    sessions,
    customDataOf,
    callFunction,
    vouchers: (type) => (type.startsWith('oauth2-') ? oauth.vouchFor(type) : Object.hasOwn(vouchers, type) ? vouchers[type] : undefined),
    isTaken: (error, what) => error instanceof (what === 'identity' ? IdentityTaken : UsernameTaken),
    exclusively: (name, work) => lock(name, work, { patienceMs: 10_000, refuse: () => new Busy('this login') }),
    audit: stores.audit,
    recorder,
  })
  const oauth: OAuth = createOAuth({
    callback: `${configuration.DOSSIER_ISSUER}/api/client/v2.0${callbackPath}`,
    interactionAddress: (interaction, ticket) => `${configuration.DOSSIER_ISSUER}/interaction/${interaction}/arrival/${ticket}`,
    artifacts: stores.artifacts,
    connectorOf,
    secretOf: apps.secretOf,
    findApp: apps.find,
    mapMetadata,
    admit: logins.admit,
    now,
  })
  const send = createMailer({
    smtpUrl: configuration.DOSSIER_SMTP_URL,
    directory: configuration.mailDirectory,
    from: configuration.DOSSIER_MAIL_FROM,
  })
  emailPassword = createEmailPassword({
    users,
    passwords,
    throttle,
    artifacts: stores.artifacts,
    callFunction,
    sendMail: (mail) => send(renderAppMail(mail)),
    enter: logins.enter,
    hash: hashSecret,
    now,
  })
  const triggers = runTriggers({
    apps,
    users,
    leavers: domain.leavers,
    customDataOf,
    callFunction,
    userObject: userObjectOf,
    system: systemUser,
    following: domain.following.triggers,
    lease: createLease({ artifacts: stores.artifacts, id: 'triggers', now }),
    tasks: domain.triggerTasks,
    lastRuns: domain.triggerRuns,
    artifacts: stores.artifacts,
    audit: stores.audit,
    recorder,
    nextMoment,
    onFailure: (facts, err) => log.warn({ ...facts, err }, 'a trigger failed'),
    onFault: (err) => log.error({ err }, 'triggers could not be run'),
    now,
  })
  const calls = createClientCalls({ callFunction, dataService, valuesOf, holds })

  return {
    adminSessions: createAdminSessions({ artifacts: stores.artifacts, users, isAdministrator, hash: hashSecret, now }),
    newClientAppId: (name: string) => `${name.toLowerCase().replaceAll('_', '-')}-${suffix()}`,
    apps,
    users,
    sessions,
    logins,
    emailPassword,
    oauth,
    pageLogins: createPageLogins({
      apps,
      oauth,
      users,
      enter: logins.enter,
      checkPassword: domain.checkPassword,
      audit: stores.audit,
      recorder,
    }),
    apiKeys,
    customDataOf,
    customData: createCustomDataEditing({ dataSource, customDataOf, audit: stores.audit, recorder }),
    knownByApps: createKnownByApps({ apps, sessions, customDataOf, plain, now }),
    calls,
    dataSource,
    callFunction,
    triggerTasks: domain.triggerTasks,
    /** The document of a user for OpenID Connect: of the app that they came by, of another that they use, or of the only one there is. */
    async customDataOfUser(user: User) {
      const views = (await apps.list()).filter(({ configuration: { customUserData } }) => customUserData)
      const uses = ({ app }: AppView) => user.identities?.some((each) => each.app === app.id)
      const view = views.find(({ app }) => app.id === user.cameBy) ?? views.find(uses) ?? (views.length === 1 ? views[0] : undefined)
      const found = view && (await customDataOf(view, user.id))
      return (
        found?.document && { document: plain(found.document) as Readonly<Record<string, unknown>>, isOmitted: found.isOmitted ?? false }
      )
    },
    async leave({ app }: AppView, user: User): Promise<void> {
      await users.leaveApp(user.id, app.id, { kind: 'user', id: user.id })
      await sessions.endAll(user.id, app.id)
    },
    async stop(): Promise<void> {
      await triggers.stop()
      await functions.stop()
      await dataSource.close()
    },
  }
}

/** Five letters, as App Services has them. */
const suffix = () => Array.from(randomBytes(5), (byte) => String.fromCharCode(97 + (byte % 26))).join('')

const mostReplyBytes = 5 * 1024 * 1024

const isRedirect = ({ status, headers }: Response) => [301, 302, 303, 307, 308].includes(status) && headers.has('location')

/** The headers for an address that somebody was sent on to: what proves who asks stays with the host that it is for. */
function crossing(headers: Headers, from: string, to: string): Headers {
  if (new URL(from).origin === new URL(to).origin) return headers
  const rest = new Headers(headers)
  for (const name of ['authorization', 'cookie', 'proxy-authorization']) rest.delete(name)
  return rest
}

/** A call of `context.http`. */
async function callOut(
  outboundFetch: AppServicesParts['outboundFetch'],
  { method, url, headers, body, isForm, followRedirects }: Parameters<Parameters<typeof createFunctionRunner>[0]['host']['http']>[0],
) {
  const given = new Headers()
  for (const [name, values] of Object.entries(headers))
    for (const value of Array.isArray(values) ? values : [values]) given.append(name, String(value))
  if (isForm && !given.has('Content-Type')) given.set('Content-Type', 'application/x-www-form-urlencoded')
  const options = {
    method,
    headers: given,
    redirect: 'manual',
    timeoutMs: 20_000,
    ...(body !== undefined && body !== null && { body }),
  } as const
  let reply = await outboundFetch(url, options)
  // Each address on the way is looked at by itself.
  for (let hops = 0, at = url; followRedirects && isRedirect(reply) && hops < 5; hops += 1) {
    const next = new URL(reply.headers.get('location') ?? '', at).href
    const isGet = reply.status === 303 || method === 'GET' || method === 'HEAD'
    const headers = crossing(given, at, next)
    reply = await outboundFetch(next, isGet ? { headers, redirect: 'manual', timeoutMs: 20_000 } : { ...options, headers })
    at = next
  }
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of reply.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > mostReplyBytes) throw new Error(`the reply is longer than ${mostReplyBytes} bytes`)
    chunks.push(chunk)
  }
  const told: Record<string, string[]> = {}
  for (const [name, value] of reply.headers) told[name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())] = [value]
  return {
    statusCode: reply.status,
    status: `${reply.status} ${reply.statusText}`,
    headers: told,
    body: Buffer.concat(chunks).toString('utf8'),
  }
}
