/** What applications that register themselves are refused, whatever they ask for, and what they do not learn of each other and of the operator's. */
import * as client from 'openid-client'
import { expect, test } from 'vitest'
import { registeredProjectId } from '#src/domain/applications/application.ts'
import { readConfigurationFile } from '#src/domain/provisioning/file.ts'
import { callback, kept, openIdp, register, registeredParty } from '../../support/registration.ts'
import { relyingParty, signIn, zitadelAudience } from '../../support/relyingParty.ts'

const audienceOf = (project: string) => `urn:zitadel:iam:org:project:id:${project}:aud`

test('a token of a stranger is for the stranger alone, whatever it asks for: it opens no API of Dossier’s, and tells no roles', async () => {
  await using idp = await openIdp()
  const scope = `openid ${zitadelAudience} ${audienceOf(idp.project.id)} urn:zitadel:iam:org:projects:roles`
  const { tokens, configuration, made } = await registeredParty(idp, {}, scope)
  const introspected = await client.tokenIntrospection(configuration, tokens.access_token)
  expect(introspected.aud).toEqual([made.client_id])
  for (const claims of [introspected, await client.fetchUserInfo(configuration, tokens.access_token, idp.jane.id)]) {
    expect(Object.keys(claims).filter((name) => name.endsWith(':roles'))).toEqual([])
  }
  const headers = { authorization: `Bearer ${tokens.access_token}`, 'content-type': 'application/json' }
  const search = await fetch(idp.url('/auth/v1/users/me/metadata/_search'), { method: 'POST', headers, body: '{}' })
  expect(search.status).toBe(401)
  // It would tell at which other applications the person has signed in.
  expect((await fetch(idp.url('/account/sessions'), { headers })).status).toBe(403)
  expect(await client.tokenIntrospection(await relyingParty(idp, idp.web), tokens.access_token)).toEqual({ active: false })
})

test('a stranger looks at its own tokens only, and has no siblings, not even when the operator puts an application beside it', async () => {
  await using idp = await openIdp()
  const [one, other] = [await registeredParty(idp), await registeredParty(idp)]
  expect(await client.tokenIntrospection(one.configuration, other.tokens.access_token)).toEqual({ active: false })
  const named = await signIn(idp, { scope: `openid ${audienceOf(registeredProjectId)}` })
  expect(await client.tokenIntrospection(one.configuration, named.tokens.access_token)).toEqual({ active: false })

  const beside = { ...idp.web, id: 'beside', clientId: 'beside', projectId: registeredProjectId }
  await idp.domain.catalogue.commit({
    putApplications: [beside, { ...(await kept(idp, one.made.client_id)), audience: 'project' }],
    events: [],
  })
  const theirs = await signIn(idp, { application: beside })
  expect(await client.tokenIntrospection(theirs.configuration, theirs.tokens.access_token)).toMatchObject({ aud: ['beside'] })
  expect(await client.tokenIntrospection(one.configuration, theirs.tokens.access_token)).toEqual({ active: false })
  expect(await client.tokenIntrospection(theirs.configuration, one.tokens.access_token)).toEqual({ active: false })
  for (const { made, configuration, tokens } of [one, other]) {
    expect(await client.tokenIntrospection(configuration, tokens.access_token)).toMatchObject({ active: true, aud: [made.client_id] })
  }
})

const redirect_uris = [callback]
const key = { kty: 'EC', crv: 'P-256', x: 'WKn-ZIGevcwGIyyrzFoZNBdaq9_TsqzGl96oc0CWuis', y: 'y77t-RvAHRKTsSGdIYUfweuOvwrvDD-Q3Hv5J0fSKbE' }
const implicit = { response_types: ['id_token token'], grant_types: ['implicit'] }

test.each<[string, Record<string, unknown>, string, string]>([
  ['an address with a wildcard', { redirect_uris: ['https://app.example/*'] }, 'invalid_redirect_uri', 'redirect_uris[0] must be exact'],
  ['an address with credentials', { redirect_uris: ['https://a:b@app.example/'] }, 'invalid_redirect_uri', 'credentials'],
  ['no addresses, pairwise', { redirect_uris: ['nowhere', 'neither'], subject_type: 'pairwise' }, 'invalid_redirect_uri', 'absolute'],
  ['numbers for addresses, pairwise', { redirect_uris: [1, 2], subject_type: 'pairwise' }, 'invalid_redirect_uri', 'absolute'],
  ['tokens at an address without https', { redirect_uris: ['http://localhost/'], ...implicit }, 'invalid_redirect_uri', 'redirect_uris'],
  [
    'sign-out to nowhere',
    { redirect_uris, post_logout_redirect_uris: ['nowhere'] },
    'invalid_client_metadata',
    'post_logout_redirect_uris',
  ],
  ['a private key', { redirect_uris, jwks: { keys: [{ ...key, d: 'd' }] } }, 'invalid_client_metadata', 'Key Set'],
  ['a shared key', { redirect_uris, jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }, 'invalid_client_metadata', 'Key Set'],
  ['private_key_jwt without keys', { redirect_uris, token_endpoint_auth_method: 'private_key_jwt' }, 'invalid_client_metadata', 'jwks'],
  [
    'request objects that nobody could check',
    { redirect_uris, require_signed_request_object: true },
    'invalid_client_metadata',
    'require_signed_request_object needs jwks or jwks_uri',
  ],
  ['a name that turns round', { redirect_uris, client_name: 'Bank \u202egnp' }, 'invalid_client_metadata', 'client_name'],
  ['a name with a zero', { redirect_uris, client_name: 'Bank\u0000' }, 'invalid_client_metadata', 'client_name'],
  ['a name without end', { redirect_uris, client_name: 'x'.repeat(40_000) }, 'invalid_client_metadata', 'client_name'],
])('nobody registers with %s', async (_, metadata, error, reason) => {
  await using idp = await openIdp()
  const answer = await register(idp, metadata)
  expect(answer).toEqual({ status: 400, error, error_description: expect.stringContaining(reason) })
  expect(await idp.domain.catalogue.listApplications(registeredProjectId)).toEqual([])
  expect(idp.log.join('')).not.toContain('"level":50')
})

test('what is nested without end is refused like everything that is wrong', async () => {
  await using idp = await openIdp()
  const address = `{"redirect_uris":${'['.repeat(20_000)}${']'.repeat(20_000)}}`
  expect(await register(idp, address)).toMatchObject({ status: 400, error: 'invalid_redirect_uri' })
  const keys = `{"redirect_uris":["${callback}"],"jwks":${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}}`
  expect(await register(idp, keys)).toMatchObject({ status: 400, error: 'invalid_client_metadata' })
  expect(idp.log.join('')).not.toContain('"level":50')
})

const names = [
  'redirect_uris token_endpoint_auth_method grant_types response_types client_name client_uri logo_uri scope contacts tos_uri policy_uri jwks_uri jwks',
  'software_id software_version application_type sector_identifier_uri subject_type id_token_signed_response_alg id_token_encrypted_response_alg',
  'id_token_encrypted_response_enc userinfo_signed_response_alg userinfo_encrypted_response_alg userinfo_encrypted_response_enc',
  'request_object_signing_alg request_object_encryption_alg token_endpoint_auth_signing_alg default_max_age require_auth_time default_acr_values',
  'initiate_login_uri request_uris post_logout_redirect_uris backchannel_logout_uri backchannel_logout_session_required tls_client_auth_subject_dn',
  'tls_client_auth_san_dns tls_client_certificate_bound_access_tokens dpop_bound_access_tokens require_pushed_authorization_requests response_modes',
  'require_signed_request_object authorization_signed_response_alg authorization_encrypted_response_alg introspection_signed_response_alg client_id',
  'client_secret client_id_issued_at client_secret_expires_at registration_access_token client_name#de access_token_type require_pkce',
  'additional_origins machine_user_id fapi_profile __proto__ constructor',
].flatMap((line) => line.split(' '))
const values = [
  1,
  true,
  null,
  '',
  'x',
  '\ud800',
  {},
  [],
  [null],
  [{}],
  [[]],
  { keys: 1 },
  { keys: [null] },
  { $set: { 'a.b': 1 } },
  -1.5,
  1e300,
]

test('a value of the wrong kind is the fault of whoever sends it, whichever metadata it is, and what is taken can be exported and applied', async () => {
  const start = Date.parse('2026-03-01T10:00:00Z')
  let hours = 0
  await using idp = await openIdp({ now: () => new Date(start + hours * 3_600_000) })
  for (const subject of ['public', 'pairwise']) {
    for (const name of names) {
      for (const value of values) {
        hours += 1
        const said = `${JSON.stringify(name)}:${JSON.stringify(value)}`
        const { status, error } = await register(idp, `{"redirect_uris":["${callback}"],"subject_type":"${subject}",${said}}`)
        const isRight = status === 201 || (status === 400 && (error === 'invalid_client_metadata' || error === 'invalid_redirect_uri'))
        if (!isRight) expect({ status, error }, `${subject} ${said}`).toEqual({})
      }
    }
  }
  expect(idp.log.join('')).not.toContain('"level":50')

  const { catalogue } = await idp.domain.provisioning.export()
  const projects = (catalogue.projects as { name: string }[]).filter(({ name }) => name === 'Registered')
  const file = readConfigurationFile(JSON.stringify({ projects }), 'export.json', { environment: () => undefined, file: () => undefined })
  const changes = await idp.domain.provisioning.apply(file, { kind: 'system' })
  expect(changes.length).toBeGreaterThan(100)
  expect(changes.filter(({ change }) => change !== 'none')).toEqual([])
}, 120_000)

test('a stranger says nothing about itself that is the operator’s to say', async () => {
  await using idp = await openIdp()
  const plain = await register(idp, { redirect_uris, client_name: 'Stranger' })
  const greedy = await register(idp, {
    redirect_uris,
    client_name: 'Stranger',
    client_id: idp.web.clientId,
    client_secret: 'chosen',
    registration_access_token: 'chosen',
    access_token_type: 'jwt',
    require_pkce: false,
    additional_origins: ['https://evil.example'],
    machine_user_id: idp.jane.id,
    fapi_profile: '2.0',
    profile: 'fapi2',
    first_party: true,
    firstParty: true,
    audience: 'project',
    accessTokenType: 'jwt',
    idTokenUserinfoAssertion: true,
    accessTokenRoleAssertion: true,
    clockSkewSeconds: 5,
    forwardAuth: { metadata: ['ContractNumber'] },
    resource_indicators: ['https://api.acme.example'],
    resourceIndicators: ['https://api.acme.example'],
    id: idp.web.id,
    projectId: idp.project.id,
    provisionedBy: 'a file',
    clientSecretHash: 'chosen',
    active: false,
    scope: 'openid',
    unheard_of: true,
  })
  expect(greedy.status).toBe(201)
  expect(Object.keys(greedy).toSorted()).toEqual(Object.keys(plain).toSorted())
  for (const name of ['client_id', 'client_secret', 'registration_access_token'])
    expect([idp.web.clientId, 'chosen']).not.toContain(greedy[name])
  const own = { id: '', clientId: '', clientSecretHash: '', createdAt: '', changedAt: '' }
  const [one, other] = [await kept(idp, greedy.client_id), await kept(idp, plain.client_id)]
  expect({ ...one, ...own }).toEqual({ ...other, ...own })
  expect(one.id).not.toBe(idp.web.id)
})
