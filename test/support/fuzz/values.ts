/** Values of parameters and headers that nobody means well, each with what is valid there mixed in. `<name>` stands for a live value. */
import fc from 'fast-check'
import { publicNames, type Signer, secretNames } from './live.ts'

/** Text that is encoded when it is sent; text that was encoded, rightly or not; or a JWT that is signed when it is sent. */
export type Value = { readonly text: string } | { readonly encoded: string } | { readonly signer: Signer; header: string; payload: string }

const nasty = [
  ...['', ' ', '\u0000', 'a\u0000b', 'a\r\nSet-Cookie: x=y', '\u2028', '\u202e', '\ufeff', '\ud800', 'a\udfffb', 'ﷺ', 'é'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__'],
  ...['null', 'undefined', 'true', '[object Object]', '[]', '{}', '""', '0', '-1', '1.5', '1e999', 'NaN', '99999999999999999999'],
  ...['<script>alert(1)</script>', '"><img src=x>', "' OR 1=1 --", '{{7*7}}', '<%= 7 %>', '{"$gt":""}', '../../etc/passwd'],
  ...['javascript:alert(1)', '//evil.example', 'https://evil.example/callback', 'http://169.254.169.254/', 'http://[::1', 'urn:x', '*'],
  ...[
    'openid',
    'openid openid',
    ' openid  profile ',
    'urn:zitadel:iam:org:project:id::aud',
    'urn:zitadel:iam:org:project:role:',
    'a'.repeat(256),
  ],
]
const encodings = ['%', '%zz', '%ff', '%C3%28', '%ed%a0%80', '%00', '%u0041', '+', '%2', '%F0%9F%92', '%c0%af', '%0d%0a', '%5B%5D', '&&=&']

const live = (names: readonly string[]) => fc.constantFrom(...names).map((name) => `<${name}>`)
const long = fc.tuple(fc.constantFrom('x', 'é', '%', ' ', '{"a":', 'openid '), fc.constantFrom(200, 3000, 12_000))

export const brokenText: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...nasty) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
  { weight: 2, arbitrary: fc.tuple(live(publicNames), fc.constantFrom('x', ' ', '/', '#', '%00', '.')).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: long.map(([text, length]) => text.repeat(Math.floor(length / text.length))) },
)

const leaf = fc.oneof(fc.constantFrom(...nasty), live(publicNames), fc.jsonValue({ maxDepth: 2 }))
const seconds = fc.constantFrom('<now>', '<soon>', '<past>', 0, -1, 1.5, 1e308, '1', null)

/** Any JSON, and objects with members that are looked at. */
const objectOf = (members: readonly string[], plain: Readonly<Record<string, unknown>> = {}) =>
  fc
    .dictionary(fc.constantFrom(...members, '__proto__', 'constructor', 'x'), leaf, { maxKeys: 3 })
    .map((changes) => ({ ...plain, ...changes }))

const claimNames = ['acr', 'sub', 'email', 'auth_time', 'address', 'toString', 'urn:zitadel:iam:user:metadata']
const request = fc.oneof(
  leaf,
  objectOf(['essential', 'value', 'values']),
  fc.record({ values: fc.array(leaf, { maxLength: 3 }), essential: leaf }, { requiredKeys: [] }),
)
const claims = fc
  .oneof(
    fc.dictionary(fc.constantFrom('id_token', 'userinfo', '__proto__', 'x'), fc.dictionary(fc.constantFrom(...claimNames), request)),
    objectOf(['id_token', 'userinfo']),
    fc.jsonValue(),
  )
  .map((value) => JSON.stringify(value))

/** Bodies for a search in metadata: nearly what it takes, any JSON, and text that is none. */
export const searches: fc.Arbitrary<string> = fc.oneof(
  objectOf(['query', 'queries', 'offset', 'limit', 'asc', 'keyQuery', 'key', 'method', 'sortingColumn']).map((body) =>
    JSON.stringify(body),
  ),
  fc.tuple(objectOf(['offset', 'limit', 'asc']), leaf, leaf).map(([query, key, method]) => {
    return JSON.stringify({ query, queries: [{ keyQuery: { key, method } }] })
  }),
  fc.json(),
  brokenText,
)

const registered = [
  'iss',
  'sub',
  'aud',
  'azp',
  'jti',
  'nbf',
  'client_id',
  'redirect_uri',
  'claims',
  'scope',
  'nonce',
  'max_age',
  'htm',
  'htu',
  'ath',
]
const usual = {
  iss: '<keyed>',
  sub: '<keyed>',
  aud: '<issuer>',
  client_id: '<keyed>',
  exp: '<soon>',
  iat: '<now>',
  redirect_uri: '<redirectUri>',
}
const machine = { ...usual, iss: '<api>', sub: '<api>' }
const proof = { jti: '1', htm: 'POST', htu: '<issuer>/oauth/v2/token', iat: '<now>' }
const algorithms = ['none', 'HS256', 'RS256', 'ES256', 'PS256', 'EdDSA', 'dir', 'RSA-OAEP', '__proto__', 5]
const headerChanges = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: objectOf(['kid', 'typ', 'crit', 'b64', 'enc', 'zip', 'jwk', 'jku', 'x5c', 'cty']) },
  { weight: 1, arbitrary: fc.constantFrom(...algorithms).map((alg) => ({ alg })) },
)

const jwtOf = (signer: Signer, header: object, plain: Readonly<Record<string, unknown>>) =>
  fc
    .tuple(
      headerChanges,
      fc.oneof(objectOf(registered, plain), fc.jsonValue()),
      fc.option(fc.tuple(fc.constantFrom('exp', 'iat'), seconds)),
    )
    .map(([changes, payload, time]): Value => {
      const whole = time && payload !== null && typeof payload === 'object' ? { ...payload, [time[0]]: time[1] } : payload
      return { signer, header: JSON.stringify({ ...header, ...changes }), payload: JSON.stringify(whole) }
    })

/** JWTs: properly signed with strange claims, for each use that they have. */
const jwt: fc.Arbitrary<Value> = fc.oneof(
  jwtOf('client', { alg: 'ES256', kid: 'client' }, usual),
  jwtOf('machine', { alg: 'RS256', kid: '<kid>' }, machine),
  jwtOf('stranger', { alg: 'ES256', kid: 'client' }, usual),
)
export const dpopProof: fc.Arbitrary<Value> = jwtOf('client', { alg: 'ES256', typ: 'dpop+jwt', jwk: '<jwk>' }, proof)

const text = (value: string): Value => ({ text: value })
const oneOf = (...values: string[]) => fc.constantFrom(...values)
const types = 'urn:ietf:params:oauth:token-type:'

const fitting: Readonly<Record<string, fc.Arbitrary<string>>> = {
  response_type: oneOf('code', 'id_token', 'token', 'code id_token', 'none', 'code code', 'id_token code', 'id_token token'),
  response_mode: oneOf('query', 'fragment', 'form_post', 'jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt', 'web_message'),
  prompt: oneOf('none', 'login', 'consent', 'select_account', 'create', 'none login', 'login login', 'login consent'),
  code_challenge_method: oneOf('S256', 'plain', 's256'),
  max_age: oneOf('0', '1', '-1', '1.5', '9007199254740993', '1e3', ''),
  token_type_hint: oneOf('access_token', 'refresh_token', 'id_token', 'x'),
  resource: oneOf('https://api.example/', 'https://api.example/#x', 'urn:x', 'api'),
  scope: oneOf('openid', 'openid offline_access', '<scope>', 'profile', 'urn:zitadel:iam:org:project:id:zitadel:aud'),
  acr_values: oneOf('urn:dossier:acr:password', 'urn:dossier:acr:password:fresh', 'urn:dossier:acr:password x'),
  ui_locales: oneOf('en', 'de en', 'x-y-z', '*'),
  display: oneOf('page', 'popup', 'x'),
  subject_token_type: oneOf(`${types}access_token`, `${types}jwt`, `${types}id_token`, 'urn:zitadel:params:oauth:token-type:user_id'),
  client_assertion_type: oneOf('urn:ietf:params:oauth:client-assertion-type:jwt-bearer'),
  request_uri: oneOf('<requestUri>', 'urn:ietf:params:oauth:request_uri:', 'https://evil.example/r.jwt', 'http://127.0.0.1:1/'),
  claims,
  registration: claims,
  claims_locales: oneOf('en'),
  authorization_details: claims,
  redirect: oneOf('true', 'false'),
  to: oneOf('/', '/a?b=c', '//evil.example', '/\\evil.example', '/.dossier/sign-out'),
}
const secretParameters: Readonly<Record<string, true>> = Object.fromEntries(
  [
    ...['client_secret', 'code', 'code_verifier', 'refresh_token', 'token', 'device_code', 'id_token_hint', 'subject_token', 'actor_token'],
    ...['assertion', 'client_assertion', 'request', 'access_token', 'csrf', 'xsrf', 'password'],
  ].map((name) => [name, true]),
)

/** A value for the parameter `name`: what fits, what is valid somewhere else, what is broken. Only where a secret belongs is there a secret. */
export function valueFor(name: string): fc.Arbitrary<Value> {
  const fit = Object.hasOwn(fitting, name) ? fitting[name] : undefined
  return fc.oneof(
    { weight: 4, arbitrary: brokenText.map(text) },
    { weight: 1, arbitrary: fc.constantFrom(...encodings).map((encoded) => ({ encoded })) },
    { weight: 1, arbitrary: live(publicNames).map(text) },
    ...(fit ? [{ weight: 4, arbitrary: fit.map(text) }] : []),
    ...(Object.hasOwn(secretParameters, name) ? [{ weight: 2, arbitrary: live(secretNames).map(text) }] : []),
    ...(Object.hasOwn(secretParameters, name) ? [{ weight: 3, arbitrary: jwt }] : []),
  )
}

const metadataNames = [
  ...['redirect_uris', 'post_logout_redirect_uris', 'grant_types', 'response_types', 'token_endpoint_auth_method', 'application_type'],
  ...['client_name', 'client_id', 'client_secret', 'jwks', 'jwks_uri', 'logo_uri', 'policy_uri', 'contacts', 'scope', 'subject_type'],
  ...[
    'sector_identifier_uri',
    'id_token_signed_response_alg',
    'userinfo_signed_response_alg',
    'request_uris',
    'request_object_signing_alg',
  ],
  ...['backchannel_logout_uri', 'default_max_age', 'default_acr_values', 'require_auth_time', 'initiate_login_uri', 'software_statement'],
  ...['dpop_bound_access_tokens', 'access_token_type', 'machine_user_id', 'fapi_profile', 'first_party', '__proto__', 'constructor'],
]

/** What an application might say of itself, right and wrong. */
export const clientMetadata: fc.Arbitrary<string> = fc.oneof(
  fc.json(),
  fc
    .dictionary(
      fc.constantFrom(...metadataNames),
      fc.oneof(
        fc.jsonValue(),
        fc.constantFrom('none', 'web', 'native', 'RS256', 'https://app.example/x', 'javascript:alert(1)'),
        fc.array(fc.string()),
      ),
      { maxKeys: 6 },
    )
    .map((metadata) => JSON.stringify({ redirect_uris: ['https://app.example/callback'], ...metadata })),
)
