import { request } from 'node:http'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { expect, test } from 'vitest'
import type { Application } from '#src/domain/applications/application.ts'
import { type Idp, startIdp } from '../../support/idp.ts'
import { authorize, metadataScope, signIn } from '../../support/relyingParty.ts'

type Document = Record<string, unknown>

test('discovery has what libraries look for, and its addresses answer', async () => {
  await using idp = await startIdp()
  const document = await read(idp, '/.well-known/openid-configuration')
  expect(document).toMatchObject({
    issuer: idp.issuer,
    authorization_endpoint: `${idp.issuer}/oauth/v2/authorize`,
    token_endpoint: `${idp.issuer}/oauth/v2/token`,
    userinfo_endpoint: `${idp.issuer}/oidc/v1/userinfo`,
    introspection_endpoint: `${idp.issuer}/oauth/v2/introspect`,
    revocation_endpoint: `${idp.issuer}/oauth/v2/revoke`,
    end_session_endpoint: `${idp.issuer}/oidc/v1/end_session`,
    device_authorization_endpoint: `${idp.issuer}/oauth/v2/device_authorization`,
    jwks_uri: `${idp.issuer}/oauth/v2/keys`,
    subject_types_supported: ['public', 'pairwise'],
    authorization_response_iss_parameter_supported: true,
    code_challenge_methods_supported: ['S256'],
    response_types_supported: expect.arrayContaining(['code']),
    scopes_supported: expect.arrayContaining([
      'openid',
      'profile',
      'email',
      'phone',
      'address',
      'offline_access',
      'urn:zitadel:iam:user:metadata',
    ]),
    grant_types_supported: expect.arrayContaining(['authorization_code', 'refresh_token', 'client_credentials']),
  })
  expect(await read(idp, '/.well-known/oauth-authorization-server')).toEqual(document)
})

test('discovery names every claim that a token or userinfo carries, but those with an argument', async () => {
  await using idp = await startIdp()
  const application: Application = {
    ...idp.web,
    redirectUris: ['https://app.example/callback'],
    postLogoutRedirectUris: [],
    grantTypes: ['authorizationCode', 'implicit'],
    responseTypes: ['code', 'code id_token'],
    idTokenUserinfoAssertion: true,
  }
  const project = { ...idp.project, projectRoleAssertion: true }
  await idp.domain.catalogue.commit({ putProjects: [project], putApplications: [application], events: [] })
  const { organization } = await idp.domain.catalogue.root()
  const scope = `openid profile email phone address ${metadataScope} urn:zitadel:iam:org:id:${organization.id}`
  const { configuration, tokens } = await signIn(idp, { application, scope, parameters: { acr_values: 'urn:dossier:acr:password' } })
  const hybrid = await authorize(idp, configuration, { application, scope, parameters: { response_type: 'code id_token' } })
  const inFragment = new URLSearchParams(hybrid.callback.hash.slice(1)).get('id_token') as string
  const userinfo = await client.fetchUserInfo(configuration, tokens.access_token, idp.jane.id)
  const carried = [decodeJwt(tokens.id_token as string), decodeJwt(inFragment), userinfo].flatMap((claims) => Object.keys(claims))
  const withArgument = /^urn:zitadel:iam:org:project:[^:]+:roles$/
  const { claims_supported: supported } = await read(idp, '/.well-known/openid-configuration')
  expect(carried).toEqual(
    expect.arrayContaining(['nonce', 'acr', 'azp', 'client_id', 'at_hash', 'c_hash', 'sid', 'urn:zitadel:iam:org:project:roles']),
  )
  expect(supported).toEqual(expect.arrayContaining(carried.filter((claim) => !withArgument.test(claim))))
})

test('the signing algorithms in discovery are those that there are keys for, before and after an application asks for another', async () => {
  await using idp = await startIdp()
  const algorithms = async () =>
    ((await read(idp, '/.well-known/openid-configuration')).id_token_signing_alg_values_supported as string[]).toSorted()
  expect(await algorithms()).toEqual(['ES256', 'RS256'])
  await idp.domain.keys.ensure(['EdDSA', 'PS256'], { kind: 'system' })
  expect(await algorithms()).toEqual(['ES256', 'EdDSA', 'PS256', 'RS256'])
  const { keys } = (await read(idp, '/oauth/v2/keys')) as { keys: Document[] }
  expect(keys.map(({ alg }) => alg).toSorted()).toEqual(['ES256', 'EdDSA', 'PS256', 'RS256'])
  for (const key of keys) {
    expect(key).toMatchObject({ kid: expect.any(String), use: 'sig' })
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi']) expect(key).not.toHaveProperty(secret)
  }
})

test('discovery and keys are open to every origin, may be kept a while, and are not sent twice', async () => {
  await using idp = await startIdp()
  for (const path of ['/.well-known/openid-configuration', '/oauth/v2/keys']) {
    const first = await fetch(idp.url(path), { headers: { origin: 'https://app.example' } })
    expect(first.headers.get('access-control-allow-origin')).toBe('*')
    expect(first.headers.get('cache-control')).toMatch(/^public, max-age=\d+$/)
    const again = await fetch(idp.url(path), { headers: { 'if-none-match': first.headers.get('etag') as string } })
    expect(again.status).toBe(304)
    const weakened = await fetch(idp.url(path), { headers: { 'if-none-match': `W/${first.headers.get('etag')}` } })
    expect(weakened.status).toBe(304)
    expect((await fetch(idp.url(path), { method: 'HEAD' })).status).toBe(200)
    const preflight = await fetch(idp.url(path), {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'GET' },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-max-age')).toBeTruthy()
  }
})

test('token and userinfo answer the browsers of an application of the same origin, and of no other', async () => {
  await using idp = await startIdp()
  const ask = (origin: string) =>
    fetch(idp.url('/oauth/v2/token'), {
      method: 'POST',
      headers: { origin },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: idp.spa.clientId,
        code: 'none',
        redirect_uri: 'x',
        code_verifier: 'y',
      }),
    })
  expect((await ask('http://localhost:5173')).headers.get('access-control-allow-origin')).toBe('http://localhost:5173')
  expect((await ask('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull()
})

test('a signing key that is rotated is published before it signs, and its predecessor as long as its tokens live', async () => {
  let time = Date.now()
  await using idp = await startIdp({ now: () => new Date(time) })
  const rsa = async () =>
    ((await read(idp, '/oauth/v2/keys')) as { keys: Document[] }).keys.filter(({ alg }) => alg === 'RS256').map(({ kid }) => kid)
  const [before] = await rsa()
  const [successor] = await idp.domain.keys.rotate({ algorithm: 'RS256', longestTokenSeconds: 3600 }, { kind: 'system' })
  expect((await rsa()).toSorted()).toEqual([before, successor?.kid].toSorted())
  expect((await rsa())[0]).toBe(before)
  time += 601_000
  expect((await rsa())[0]).toBe(successor?.kid)
  time += 3_600_000
  expect(await rsa()).toEqual([successor?.kid])
})

test('a forwarded or forged host changes no address', async () => {
  await using idp = await startIdp()
  const response = await fetch(idp.url('/.well-known/openid-configuration'), {
    headers: { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
  })
  expect(JSON.stringify(await response.json())).not.toContain('evil.example')
  expect(await statusForHost(idp, 'evil.example')).toBe(421)
  expect(await statusForHost(idp, new URL(idp.issuer).host)).toBe(200)
})

async function read(idp: Idp, path: string): Promise<Document> {
  const response = await fetch(idp.url(path))
  expect(response.headers.get('content-type')).toContain('application/json')
  return (await response.json()) as Document
}

function statusForHost(idp: Idp, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(idp.url('/.well-known/openid-configuration'), { headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject)
    sent.end()
  })
}
