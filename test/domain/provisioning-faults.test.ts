import { expect, test } from 'vitest'
import { wholeMatcher } from '#src/base/patterns.ts'
import { readConfigurationFile } from '#src/domain/provisioning/file.ts'

/** What is wrong with a file by itself. */
function faultsOf(text: string): readonly string[] {
  try {
    readConfigurationFile(text, 'f', { environment: () => undefined, file: () => undefined }).faults.throwIfAny()
    return []
  } catch (error) {
    return (error as { lines: readonly string[] }).lines.map((line) => line.replace(/^f:\d+: /, ''))
  }
}

const applicationFaults = (fields: string) =>
  faultsOf(`projects: [{ name: P, applications: [{ name: a, ${fields} }] }]`).map((line) =>
    line.replace('projects[0].applications[0].', ''),
  )

test.each([
  ['https://a.example/cb', 'web', []],
  ['http://localhost:3000/cb', 'web', []],
  ['http://[::1]/cb', 'native', []],
  ['com.example.app:/cb', 'native', []],
  ['com.example.app:/cb', 'web', ['redirectUris[0]: must be an https address, or an http one of this machine']],
  ['javascript:alert(1)', 'native', ['redirectUris[0]: must not use the scheme javascript']],
  ['http://a.example/cb', 'web', ['redirectUris[0]: must be https unless its host is localhost, 127.0.0.1 or [::1]']],
  ['/cb', 'web', ['redirectUris[0]: must be an absolute address such as https://app.example/callback']],
  ['https://a.example/#', 'web', ['redirectUris[0]: must not have a fragment']],
  ['https://*.a.example/', 'web', ['redirectUris[0]: must be exact: a * has no meaning in it']],
  ['https://u:p@a.example/', 'web', ['redirectUris[0]: must not have credentials in it']],
])('the redirect URI %s of a %s application is judged', (uri, type, faults) => {
  expect(applicationFaults(`type: ${type}, redirectUris: ["${uri}"]`)).toEqual(faults)
})

test.each([
  ['type: api', []],
  ['type: web', ['redirectUris: is missing: people who sign in must be sent back somewhere']],
  ['type: native, grantTypes: [deviceCode]', []],
  ['type: api, authMethod: none', ['authMethod: must not be none: an api application has to prove who it is']],
  ['type: api, authMethod: privateKeyJwt', ['authMethod: privateKeyJwt needs jwks or jwksUri']],
  [
    'type: api, authMethod: privateKeyJwt, jwks: { keys: [{ kty: OKP, d: x }] }',
    ['jwks.keys: must be public keys only: take away d and k'],
  ],
  ['type: api, authMethod: privateKeyJwt, jwks: { keys: [{ kty: OKP }] }', []],
  ['type: native, grantTypes: [deviceCode], requirePkce: false', ['requirePkce: must be true when authMethod is none']],
  ['type: native, grantTypes: [clientCredentials]', ['grantTypes: clientCredentials needs an authMethod other than none']],
  ['type: native, grantTypes: [deviceCode], clientSecret: s', ['clientSecret: has no use with authMethod none']],
  ['type: api, clockSkew: 6s', ['clockSkew: must be at most 5s']],
  ['type: api, clockSkew: 5', ['clockSkew: must be a duration such as 90s, 15m, 12h or 30d']],
  ['type: api, clientId: "a:b"', ['clientId: must be 1 to 200 printable ASCII characters without blanks and colons']],
  ['type: api, additionalOrigins: ["https://a.example/"]', [expect.stringContaining('additionalOrigins[0]: must be a bare https origin')]],
  ['type: api, forwardAuth: { metadata: [ContractNumber] }', []],
  ['type: api, forwardAuth: { keys: [] }', expect.arrayContaining(['forwardAuth.metadata: is missing'])],
  ['type: api, subjectType: pairwise', ['subjectType: pairwise needs a sectorIdentifierUri unless all redirectUris have one host']],
  ['redirectUris: ["https://a.example/", "https://a.example/b"], subjectType: pairwise', []],
  ['type: api, sectorIdentifierUri: "http://a.example/"', ['sectorIdentifierUri: must be an https address without a fragment']],
  ['type: api, userinfoSignedResponseAlg: HS256', ['userinfoSignedResponseAlg: must be RS256 or ES256 or EdDSA or PS256']],
  [
    'type: api, idTokenEncryptedResponseAlg: RSA-OAEP-256',
    ['idTokenEncryptedResponseAlg: needs jwks or jwksUri: it is encrypted for a key of the application'],
  ],
  ['type: api, idTokenEncryptedResponseEnc: A128GCM', ['idTokenEncryptedResponseEnc: needs idTokenEncryptedResponseAlg']],
  ['type: api, requireSignedRequestObject: true', ['requireSignedRequestObject: needs jwks or jwksUri to check signatures']],
  ['type: api, authMethod: clientSecretJwt, clientSecret: s', []],
  ['type: api, tokenEndpointAuthSigningAlg: HS256', ['tokenEndpointAuthSigningAlg: HS256 has no use with authMethod basic']],
  ['type: api, tlsClientAuthSanDns: a.example', ['tlsClientAuthSanDns: has no use with authMethod basic']],
  ['type: api, authMethod: tlsClientAuth', [expect.stringContaining('authMethod: tlsClientAuth needs exactly one of')]],
  ['type: api, authMethod: tlsClientAuth, tlsClientAuthSubjectDn: "CN=a"', []],
  [
    'type: api, dpopBoundAccessTokens: true, tlsClientCertificateBoundAccessTokens: true',
    ['dpopBoundAccessTokens: must not be beside tlsClientCertificateBoundAccessTokens: a token is bound one way'],
  ],
  [
    'redirectUris: ["https://a.example/"], profile: fapi2',
    [
      'authMethod: must be privateKeyJwt, tlsClientAuth or selfSignedTlsClientAuth with profile fapi2',
      'profile: fapi2 needs dpopBoundAccessTokens or tlsClientCertificateBoundAccessTokens',
      'idTokenSignedResponseAlg: must be PS256, ES256 or EdDSA with profile fapi2',
    ],
  ],
  ['type: api, redirectURIs: []', ['redirectURIs: there is no such field; did you mean redirectUris?']],
  ['type: spa, grantTypes: []', ['type: must be web or userAgent or native or api']],
  ['redirectUris: ["https://a.example/"], responseTypes: [id_token]', ['responseTypes: id_token and token need the grant type implicit']],
])('an application with %s is judged', (fields, faults) => {
  expect(applicationFaults(fields)).toEqual(faults)
})

const image = (bytes: number) => `data:image/png;base64,${Buffer.alloc(bytes).toString('base64')}`

test.each([
  ['settings: { registration: open }', []],
  ['settings: { registration: { mode: open, fields: [{ key: a, label: A }] } }', []],
  ['settings: { registration: { mode: open, fields: [{ key: a, label: { en: A, de-CH: B }, pattern: "[0-9]{4}", required: true }] } }', []],
  ['settings: { registration: maybe }', ['settings.registration: must be open or closed, or { mode: …, fields: […] }']],
  ['settings: { registration: { fields: [] } }', ['settings.registration.mode: is missing']],
  ['settings: { registration: { mode: open, field: [] } }', ['settings.registration.field: there is no such field; did you mean fields?']],
  [
    'settings: { registration: { mode: open, fields: [{ key: a }, { key: a, label: A }, { key: a, label: B }] } }',
    ['settings.registration.fields[0].label: is missing', 'settings.registration.fields[2].key: "a" is listed twice'],
  ],
  [
    'settings: { registration: { mode: open, fields: [{ key: a, label: { "?": A } }] } }',
    ['settings.registration.fields[0].label: must be by language, such as { en: …, de: … }'],
  ],
  [
    'settings: { registration: { mode: open, fields: [{ key: a, label: A, pattern: "(" }, { key: b, label: B, pattern: "(?=a)" }] } }',
    [
      expect.stringContaining("settings.registration.fields[0].pattern: must be a regular expression in RE2's syntax"),
      expect.stringContaining("settings.registration.fields[1].pattern: must be a regular expression in RE2's syntax"),
    ],
  ],
  ['settings: { selfManagedProfile: [givenName, email], accountDeletionGrace: 7d }', []],
  ['settings: { selfManagedProfile: [admin] }', ['settings.selfManagedProfile: must be true, false or a list of fields of the profile']],
  ['settings: { accountDeletionGrace: 1m }', ['settings.accountDeletionGrace: must be at least 1h and at most 3650d']],
  ['organization: { logoUri: "https://a.example/logo.svg", accentColor: "#0055aA" }', []],
  ['organization: { logoUri: "", accentColor: "" }', []],
  [`organization: { logoUri: "${image(32 * 1024)}" }`, []],
  [
    `organization: { logoUri: "${image(32 * 1024 + 1)}" }`,
    ['organization.logoUri: must be an image of 32 KB at most where it is in the address'],
  ],
  ['organization: { accentColor: "red; }" }', ['organization.accentColor: must be a colour such as #0055aa']],
  ...['javascript:alert(1)', 'http://a.example/logo.png', '/logo.png'].map(
    (uri) =>
      [
        `organization: { logoUri: "${uri}" }`,
        ['organization.logoUri: must be an https address, an http one of this machine, or a data: address of an image'],
      ] as [string, string[]],
  ),
  [
    'organization: { logoUri: "data:text/html;base64,AAAA" }',
    ['organization.logoUri: must be a data: address of a PNG, JPEG, GIF, WebP or SVG image in base64'],
  ],
])('%.120s is judged', (text, faults) => {
  expect(faultsOf(text)).toEqual(faults)
})

test('a pattern is held against the whole text, and takes no longer than the text is long', () => {
  const isContract = wholeMatcher('[0-9]{4}|x')
  expect(['1234', 'x', '12345', ' 1234', 'ax', '1234\n'].map(isContract)).toEqual([true, true, false, false, false, false])
  // Each of these keeps an engine that goes back and tries again busy for longer than anybody waits.
  for (const pattern of ['(a+)+b', '(a|a)*b', '(.*)*(.*)*(.*)*b', 'a*a*a*a*a*a*a*a*a*b'])
    expect(wholeMatcher(pattern)('a'.repeat(1000))).toBe(false)
  expect(wholeMatcher('.*')('a'.repeat(1001))).toBe(false)
  for (const pattern of ['((a{100}){100}){100}', 'a'.repeat(501), '(?<!a)b', '(a)\\1'])
    expect(() => wholeMatcher(pattern)).toThrow(TypeError)
})

test('faults stand on the line of the field, also behind an alias and in JSON', () => {
  const read = (text: string) => {
    try {
      readConfigurationFile(text, 'f', { environment: () => undefined, file: () => undefined }).faults.throwIfAny()
    } catch (error) {
      return (error as Error).message
    }
    return ''
  }
  expect(read('users:\n  - &jane\n    username: jane\n    locale: "?"\n')).toMatch(/^f:4: users\[0\].locale: /)
  expect(read('{\n\t"users": [\n\t\t{ "username": "jane",\n\t\t  "mail": "x" }\n\t]\n}')).toMatch(
    /^f:4: users\[0\].mail: there is no such field/,
  )
  expect(read('users:\n  - username: jane\n    username: john\n')).toMatch(/^f:3: document: .*unique/)
  expect(read('')).toMatch(/^f:1: document: must be a group of fields, not empty$/)
})
