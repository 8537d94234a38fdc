/**
 * Requests that nobody means well, made up by fast-check, at every endpoint: each is answered by a documented error, never by a fault of ours.
 *
 * A failure prints its seed and the smallest request that fails. `FUZZ_RUNS` asks for more requests an endpoint, `FUZZ_SEED` for other ones.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Live, registerTargets, secretNames } from '../support/fuzz/live.ts'
import { badRequests, endpoints } from '../support/fuzz/requests.ts'
import { type Reply, send } from '../support/fuzz/send.ts'
import { type Idp, startIdp } from '../support/idp.ts'

const runs = Number(process.env.FUZZ_RUNS ?? 120)
const seed = Number(process.env.FUZZ_SEED ?? 1)
/** After so many requests, tokens that were used up or revoked are replaced. */
const renewAfter = 20

const documentedErrors = new Set([
  // RFC 6749, sections 4.1.2.1 and 5.2.
  ...['invalid_request', 'invalid_client', 'invalid_grant', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope'],
  ...['access_denied', 'unsupported_response_type', 'temporarily_unavailable'],
  // RFC 6750, section 3.1.
  ...['invalid_token', 'insufficient_scope'],
  // RFC 7009, section 2.2.1.
  'unsupported_token_type',
  // RFC 8628, section 3.5.
  ...['authorization_pending', 'slow_down', 'expired_token'],
  // RFC 8707, section 2.
  'invalid_target',
  // RFC 9101, section 7, and OpenID Connect Core, section 3.1.2.6.
  ...['invalid_request_uri', 'invalid_request_object', 'request_not_supported', 'request_uri_not_supported', 'registration_not_supported'],
  ...['login_required', 'interaction_required', 'consent_required', 'account_selection_required'],
  // OpenID Connect Core Error Code unmet_authentication_requirements 1.0.
  'unmet_authentication_requirements',
  // RFC 9449, section 5.
  'invalid_dpop_proof',
  // OAuth 2.0 Multiple Response Type Encoding Practices and RFC 7591, section 3.2.2.
  ...['unsupported_response_mode', 'invalid_redirect_uri', 'invalid_client_metadata', 'unapproved_software_statement'],
  // docs/applications.md: a session that is not there.
  'not_found',
])

/** Those of OAuth, and ours (docs/applications.md). */
const documentedCodes = new Set([
  ...documentedErrors,
  ...['not_found', 'session_not_found', 'form_not_accepted', 'request_too_large', 'unsupported_media_type', 'method_not_allowed'],
  'registration_closed',
])

let idp: Idp
let targets: Awaited<ReturnType<typeof registerTargets>>
let live: Live
let sent = 0
let linesRead = 0

beforeAll(async () => {
  idp = await startIdp()
  const { settings } = await idp.domain.catalogue.root()
  const registrationFields = [{ key: 'Contract', label: 'Contract', pattern: '[0-9]+', required: false }]
  const open = { dynamicClientRegistration: 'open', registration: 'open', registrationFields } as const
  await idp.domain.catalogue.commit({ settings: { ...settings, ...open }, events: [] })
  targets = await registerTargets(idp)
  live = await targets.renew()
})
afterAll(() => idp[Symbol.asyncDispose]())

/** What is wrong with a reply; nothing, if all is well. */
function faultsOf({ status, headers, body }: Reply): string[] {
  const faults: string[] = []
  if (status >= 500 && !(status === 501 && body.includes('"code":12'))) faults.push(`the status ${status}`)
  if (/node_modules|\.[jt]s:\d|\n {4}at |oidc-provider|file:\/\//.test(body)) faults.push('a look behind the scenes')
  // Whoever introspects an opaque token is told its id, which it is; a redirect repeats its address.
  const told = body.replace(/^(\{.*)"jti":"[^"]*"/, '$1').replace(/^Redirecting to .*/, '')
  faults.push(...secretsIn(told).map((name) => `the secret ${name}`))
  const location = headers.location as string | undefined
  if (location !== undefined && !mayLeadTo(location)) faults.push(`a redirect to ${location}`)
  for (const [, action = ''] of body.matchAll(/<form[^>]* action="([^"]*)"/g)) {
    if (!mayLeadTo(action.replaceAll('&amp;', '&'))) faults.push(`a form to ${action}`)
  }
  if (status >= 400 && String(headers['content-type']).startsWith('application/json') && body !== '') faults.push(...faultsOfError(body))
  const code = /id="error-code">([^<]*)</.exec(body)?.[1]
  if (code !== undefined && !documentedCodes.has(code)) faults.push(`the undocumented code ${code}`)
  const answered = location && new URL(location, idp.issuer)
  const error = answered && (answered.searchParams.get('error') ?? new URLSearchParams(answered.hash.slice(1)).get('error'))
  if (error && answered.origin !== idp.issuer && !documentedErrors.has(error)) faults.push(`the undocumented error ${error}`)
  return faults
}

const secretsIn = (text: string) => secretNames.filter((name) => text.includes(live[name]))

/** What should not have been logged since the last time. */
function faultsOfLog(): string[] {
  const lines = idp.log.slice(linesRead)
  linesRead = idp.log.length
  return [
    ...lines.filter((line) => line.includes('"level":50')),
    ...secretsIn(lines.join('')).map((name) => `the secret ${name} in the log`),
  ]
}

function faultsOfError(body: string): string[] {
  const { error, error_description, code, message } = JSON.parse(body) as Record<string, unknown>
  // ZITADEL's API answers in the words of gRPC.
  if (typeof code === 'number') return typeof message === 'string' && code > 0 && code <= 16 ? [] : ['an error of no known kind']
  if (!documentedErrors.has(String(error))) return [`the undocumented error ${error}`]
  // The characters of RFC 6749, section 5.2.
  const described = typeof error_description === 'string' && /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(error_description)
  return described ? [] : [`the description ${error_description}`]
}

/** Whether an address is ours, or one that an application has registered. A loopback address may have any port (RFC 8252, section 7.3). */
function mayLeadTo(address: string): boolean {
  const url = new URL(address, idp.issuer)
  if (url.origin === idp.issuer) return true
  const withoutPort = ({ protocol, hostname, pathname }: URL) => `${protocol}//${hostname}${pathname}`
  return [...targets.redirectUris, 'https://app.example/', 'https://app.example/.dossier/sign-in', 'https://app.example/orders'].some(
    (uri) => {
      const registered = new URL(uri)
      const same = url.origin === registered.origin && url.pathname === registered.pathname
      return same || (registered.hostname === '127.0.0.1' && withoutPort(url) === withoutPort(registered))
    },
  )
}

describe.each(endpoints)('$name', (endpoint) => {
  test('answers bad requests without a fault, a secret or a redirect to strangers', { timeout: 60_000 + runs * 100 }, async () => {
    const property = fc.asyncProperty(badRequests(endpoint), async (made) => {
      sent += 1
      if (sent % renewAfter === 0) {
        live = await targets.renew()
        // Nobody shall be kept waiting here.
        await idp.domain.stores.attempts.forgetAll('')
      }
      const reply = await send(idp.issuer, made, live, targets.signed)
      expect(faultsOf(reply), `${reply.status} ${reply.headers.location ?? ''} ${reply.body.slice(0, 300)}`).toEqual([])
      expect(faultsOfLog()).toEqual([])
    })
    await fc.assert(property, { numRuns: runs, seed })
  })
})
