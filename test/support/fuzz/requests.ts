/** Every endpoint with a request that it would answer well, and requests that are a few changes away from it. */
import fc from 'fast-check'
import { brokenText, clientMetadata, dpopProof, searches, type Value, valueFor } from './values.ts'

type Fields = Readonly<Record<string, string>>

export interface Endpoint {
  readonly name: string
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** `:x` stands for a segment that is anything. */
  readonly path: string
  readonly parameters: Fields
  /** Names of further parameters that are looked at. */
  readonly further?: readonly string[]
  readonly headers?: Fields
  /** Bodies of JSON, where the endpoint takes them in the place of a form. */
  readonly bodies?: fc.Arbitrary<string>
}

export interface BadRequest {
  readonly method: string
  readonly path: string
  readonly parameters: readonly (readonly [name: string, value: Value])[]
  readonly headers: readonly (readonly [name: string, value: Value])[]
  /** Where the parameters are, whatever the method. */
  readonly inQuery: boolean
  /** The body, in the place of parameters. */
  readonly json?: string
}

const basic = { authorization: 'Basic <basic>' }
const client = ['client_id', 'client_secret', 'client_assertion', 'client_assertion_type']
const authorization = {
  client_id: '<web>',
  redirect_uri: '<redirectUri>',
  response_type: 'code',
  scope: '<scope>',
  state: '<state>',
  code_challenge: '<challenge>',
  code_challenge_method: 'S256',
}
const authorizationFurther = [
  ...['nonce', 'response_mode', 'prompt', 'max_age', 'claims', 'request', 'request_uri', 'id_token_hint', 'login_hint', 'acr_values'],
  ...['ui_locales', 'display', 'resource', 'dpop_jkt', 'registration', 'claims_locales', 'authorization_details', 'web_message_uri'],
]
const grant = (name: string, parameters: Fields): Endpoint => ({
  name: `the token endpoint, with the grant ${name},`,
  method: 'POST',
  path: '/oauth/v2/token',
  parameters: { grant_type: name.includes('-') ? `urn:ietf:params:oauth:grant-type:${name}` : name, ...parameters },
  further: ['scope', 'resource', 'audience', 'code', 'refresh_token', 'device_code', ...client],
  headers: basic,
})
const form = (name: string, path: string, parameters: Fields, more: Partial<Endpoint> = {}): Endpoint => ({
  name,
  method: 'POST',
  path,
  parameters,
  further: client,
  headers: basic,
  ...more,
})
const page = (method: 'GET' | 'POST', path: string, parameters: Fields = {}, further: readonly string[] = []): Endpoint => ({
  name: `${method} ${path}`,
  method,
  path,
  parameters,
  further,
  headers: { cookie: '<cookies>', accept: 'text/html' },
})
const interaction = (step: string, fields: Fields = {}) => page('POST', `/interaction/<uid>/${step}`, { csrf: '<csrf>', ...fields })
const proxied = (path: string, parameters: Fields = {}): Endpoint => ({
  ...page('GET', path, { client_id: '<web>', ...parameters }, ['redirect', 'to', 'error']),
  headers: { cookie: '<cookies>', 'x-forwarded-host': 'app.example', 'x-forwarded-uri': '/orders', 'x-dossier-client': '<web>' },
})
const mine = '/auth/v1/users/me/metadata'
const bearer = { authorization: 'Bearer <pat>' }
const exchange = {
  subject_token: '<access>',
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
}

export const endpoints: readonly Endpoint[] = [
  { ...page('GET', '/oauth/v2/authorize', authorization, authorizationFurther), name: 'the authorization endpoint' },
  page('POST', '/oauth/v2/authorize', authorization, authorizationFurther),
  page('GET', '/oauth/v2/authorize/<uid>'),
  grant('authorization_code', { code: '<code>', redirect_uri: '<redirectUri>', code_verifier: '<verifier>' }),
  grant('refresh_token', { refresh_token: '<refresh>' }),
  grant('client_credentials', { scope: 'openid' }),
  grant('device_code', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: '<deviceCode>' }),
  grant('jwt-bearer', { assertion: '<pat>', scope: 'openid' }),
  { ...grant('token-exchange', exchange) },
  form('introspection', '/oauth/v2/introspect', { token: '<access>' }, { further: ['token_type_hint', ...client] }),
  form('revocation', '/oauth/v2/revoke', { token: '<access>' }, { further: ['token_type_hint', ...client] }),
  form('the endpoint of pushed requests', '/oauth/v2/par', authorization, { further: [...authorizationFurther, ...client] }),
  form('device authorization', '/oauth/v2/device_authorization', { scope: 'openid' }, { further: [...authorizationFurther, ...client] }),
  page('GET', '/device', { user_code: '<userCode>' }),
  page('POST', '/device', { xsrf: '<deviceXsrf>', user_code: '<userCode>' }),
  {
    ...page('POST', '/device', { xsrf: '<deviceXsrf>', user_code: '<userCode>', confirm: 'yes' }, ['abort']),
    name: 'the confirmed device',
  },
  page('GET', '/device/<uid>'),
  {
    name: 'userinfo',
    method: 'GET',
    path: '/oidc/v1/userinfo',
    parameters: {},
    further: ['access_token'],
    headers: { authorization: 'Bearer <access>' },
  },
  form('userinfo by a form', '/oidc/v1/userinfo', { access_token: '<access>' }, { headers: {} }),
  page('GET', '/oidc/v1/end_session', { id_token_hint: '<idToken>', post_logout_redirect_uri: '<logoutUri>', state: '<state>' }, [
    ...['client_id', 'logout_hint', 'ui_locales'],
  ]),
  page('POST', '/oidc/v1/end_session/confirm', { xsrf: '<signOutXsrf>', logout: 'yes' }),
  page('GET', '/oidc/v1/end_session/success', { client_id: '<web>' }),
  page('GET', '/oauth/v2/keys'),
  page('GET', '/.well-known/openid-configuration'),
  proxied('/forward-auth'),
  proxied('/forward-auth/sign-in', { to: '/orders' }),
  proxied('/forward-auth/callback', { code: '<code>', state: '<state>' }),
  proxied('/forward-auth/sign-out'),
  { name: 'one entry of my metadata', method: 'GET', path: `${mine}/:key`, parameters: {}, headers: bearer },
  {
    name: 'the search in my metadata',
    method: 'POST',
    path: `${mine}/_search`,
    parameters: {},
    headers: bearer,
    bodies: searches,
  },
  {
    name: 'registration',
    method: 'POST',
    path: '/oauth/v2/register',
    parameters: {},
    headers: { 'content-type': 'application/json' },
    bodies: clientMetadata,
  },
  page('GET', '/oauth/v2/register/<uid>'),
  { name: 'my sessions', method: 'GET', path: '/account/sessions', parameters: {}, headers: bearer },
  { name: 'one session of mine', method: 'DELETE', path: '/account/sessions/:key', parameters: {}, headers: bearer },
  page('GET', '/device/qr', { user_code: '<userCode>' }),
  page('GET', '/interaction/<uid>'),
  interaction('login', { username: 'nobody', password: 'wrong' }),
  interaction('consent'),
  interaction('account'),
  interaction('other'),
  interaction('deny'),
  page('GET', '/interaction/<uid>/register'),
  interaction('register', { email: 'nora@acme.example', username: '', givenName: 'N', familyName: 'N', password: 'a password of hers' }),
  page('GET', '/interaction/<uid>/registered', { ticket: 'x' }),
  page('GET', '/interaction/<uid>/reset'),
  interaction('reset', { username: 'nobody' }),
  interaction('keep', { offer: 'x' }),
  page('GET', '/register/confirm', { link: 'x' }),
  page('POST', '/register/confirm', { csrf: '<csrf>', link: 'x', password: 'x', username: 'x' }),
  page('GET', '/reset'),
  page('POST', '/reset', { csrf: '<csrf>', username: 'nobody' }),
  page('GET', '/reset/password', { link: 'x' }),
  page('POST', '/reset/password', { csrf: '<csrf>', link: 'x', password: 'another password' }),
]

const strangeNames = ['__proto__', 'constructor', 'toString', 'x[]', 'client_id[]', 'scope[a]', '', 'é', 'grant_type', 'state', 'a.b']
const headerNames = ['authorization', 'dpop', 'content-type', 'origin', 'accept', 'cookie', 'x-forwarded-host', 'x-forwarded-uri']
const furtherHeaders = [
  'x-forwarded-proto',
  'x-original-uri',
  'x-forwarded-method',
  'x-dossier-client',
  'if-none-match',
  'content-encoding',
]
const types = ['application/json', 'multipart/form-data', 'text/plain', 'application/x-www-form-urlencoded; charset=latin1', 'x', '']
const schemes = [
  'Bearer <access>',
  'DPoP <access>',
  'Basic <basic>',
  'Bearer',
  'Basic',
  'Basic Og==',
  'Basic %%%',
  'Bearer a b',
  'Digest x',
]
const text = (value: string): Value => ({ text: value })

function headerFor(name: string): fc.Arbitrary<Value> {
  const usual: Readonly<Record<string, fc.Arbitrary<Value>>> = {
    dpop: dpopProof,
    authorization: fc.oneof(
      fc.constantFrom(...schemes).map(text),
      brokenText.map((broken) => text(`Basic ${Buffer.from(broken).toString('base64')}`)),
    ),
    'content-type': fc.constantFrom(...types).map(text),
    accept: fc.constantFrom('text/html', 'application/json', '*/*', 'application/token-introspection+jwt', 'x', '').map(text),
    cookie: fc.constantFrom('<cookies>', 'dossier-session=x', 'dossier-session=<session>x', '=;=;', '__proto__=x').map(text),
    origin: fc.constantFrom('null', 'https://evil.example', 'http://localhost:5173').map(text),
  }
  return fc.oneof(usual[name] ?? brokenText.map(text), brokenText.map(text))
}

type Change = { readonly how: 'drop' | 'replace' | 'twice'; readonly name: string; readonly value: Value }

const changesOf = (names: readonly string[], valueNamed: (name: string) => fc.Arbitrary<Value>, most: number): fc.Arbitrary<Change[]> => {
  const how = fc.constantFrom('replace' as const, 'replace' as const, 'replace' as const, 'twice' as const, 'drop' as const)
  const change = fc.constantFrom(...names).chain((name) => fc.record({ how, name: fc.constant(name), value: valueNamed(name) }))
  return fc.array(change, { maxLength: most })
}

function changed(fields: Fields, changes: readonly Change[]): (readonly [string, Value])[] {
  let all = Object.entries(fields).map(([name, value]): readonly [string, Value] => [name, text(value)])
  for (const { how, name, value } of changes) {
    if (how !== 'twice') all = all.filter(([each]) => each !== name)
    if (how !== 'drop') all.push([name, value])
  }
  return all
}

/** Requests to an endpoint: some as they should be, most with a few changes, some with another method, or with parameters in the wrong place. */
export function badRequests({ method, path, parameters, further = [], headers = {}, bodies }: Endpoint): fc.Arbitrary<BadRequest> {
  const names = [...Object.keys(parameters), ...Object.keys(parameters), ...further, ...strangeNames]
  const usually = <T>(usual: T, ...others: T[]) => fc.oneof({ weight: 14, arbitrary: fc.constant(usual) }, fc.constantFrom(...others))
  return fc
    .record({
      method: usually<string>(method, 'GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'),
      segment: brokenText,
      suffix: usually('', '/', '/x', '//', '%00', '/__proto__', ';x', '/%ff'),
      parameterChanges: changesOf(names, valueFor, 3),
      headerChanges: changesOf([...headerNames, ...furtherHeaders], headerFor, 2),
      inQuery: usually(method === 'GET', method !== 'GET'),
      json: bodies ?? fc.constant(undefined),
    })
    .map(({ segment, suffix, parameterChanges, headerChanges, ...rest }) => ({
      ...rest,
      path: path.replace(':key', encodeURIComponent(segment.toWellFormed().slice(0, 1000))) + suffix,
      parameters: changed(parameters, parameterChanges),
      headers: changed(headers, headerChanges),
    }))
}
