import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import * as client from 'openid-client'
import { expect, test } from 'vitest'
import { hashSecret } from '#src/domain/users/secrets.ts'
import { type Idp, person, startIdp } from '../../support/idp.ts'
import { application } from '../../support/records.ts'
import { metadataScope, relyingParty, signIn, zitadelAudience } from '../../support/relyingParty.ts'

const jwtShape = /^[\w-]+\.[\w-]+\.[\w-]+$/

async function withJwtTokens(idp: Idp) {
  const jwtApp = { ...idp.web, accessTokenType: 'jwt', accessTokenRoleAssertion: true } as const
  await idp.domain.catalogue.commit({ putApplications: [jwtApp], events: [] })
  return jwtApp
}

test('an application gets JWT access tokens in the shape of RFC 9068 when it asks for them', async () => {
  await using idp = await startIdp()
  await withJwtTokens(idp)
  const scope = `openid ${metadataScope} urn:zitadel:iam:org:project:role:reader`
  const { tokens } = await signIn(idp, { scope })
  const keys = createRemoteJWKSet(idp.url('/oauth/v2/keys'))
  const { payload, protectedHeader } = await jwtVerify(tokens.access_token, keys, {
    issuer: idp.issuer,
    audience: idp.project.id,
    typ: 'at+jwt',
  })
  expect(protectedHeader.kid).toBeTruthy()
  expect(payload).toMatchObject({ sub: idp.jane.id, client_id: idp.web.clientId, scope, [metadataScope]: { ContractNumber: 'MTIzNA' } })
  expect(payload.nbf).toBe(payload.iat)
  expect(payload['urn:zitadel:iam:org:project:roles']).toHaveProperty('reader')
  expect(payload).not.toHaveProperty('email')
})

test('a JWT access token works at userinfo and introspection, until it is revoked; its id does not', async () => {
  await using idp = await startIdp()
  await withJwtTokens(idp)
  const { configuration, tokens } = await signIn(idp, { scope: 'openid email' })
  expect(tokens.access_token).toMatch(jwtShape)
  expect(await client.fetchUserInfo(configuration, tokens.access_token, idp.jane.id)).toMatchObject({ email: 'jane@acme.example' })
  const { jti } = decodeJwt(tokens.access_token)
  expect(await client.tokenIntrospection(configuration, tokens.access_token)).toMatchObject({ active: true, jti })
  for (const id of [jti as string, `jwt-${jti}`]) {
    expect((await userinfo(idp, id)).status).toBe(401)
    expect(await client.tokenIntrospection(configuration, id)).toEqual({ active: false })
  }
  await client.tokenRevocation(configuration, tokens.access_token)
  expect((await userinfo(idp, tokens.access_token)).status).toBe(401)
  expect(await client.tokenIntrospection(configuration, tokens.access_token)).toEqual({ active: false })
})

test('a JWT with a foreign signature, another type or no signature is no access token', async () => {
  await using idp = await startIdp()
  await withJwtTokens(idp)
  const { tokens } = await signIn(idp, { scope: 'openid email' })
  const [header = '', payload = '', signature = ''] = tokens.access_token.split('.')
  const none = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${payload}.`
  const flipped = `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
  for (const token of [none, flipped, `${header}.${payload}.`, tokens.id_token as string])
    expect((await userinfo(idp, token)).status).toBe(401)
})

test('opaque and JWT tokens introspect alike: who, whom for, and the metadata', async () => {
  await using idp = await startIdp()
  for (const accessTokenType of ['bearer', 'jwt'] as const) {
    await idp.domain.catalogue.commit({ putApplications: [{ ...idp.web, accessTokenType }], events: [] })
    const { configuration, tokens } = await signIn(idp, { scope: `openid email ${metadataScope} ${zitadelAudience}` })
    const { ownProjectId } = await idp.domain.catalogue.root()
    expect(await client.tokenIntrospection(configuration, tokens.access_token)).toMatchObject({
      active: true,
      sub: idp.jane.id,
      username: idp.jane.username,
      email: 'jane@acme.example',
      client_id: idp.web.clientId,
      iss: idp.issuer,
      token_type: 'Bearer',
      scope: expect.stringContaining(metadataScope),
      aud: expect.arrayContaining([idp.web.clientId, idp.spa.clientId, idp.project.id, ownProjectId]),
      [metadataScope]: { ContractNumber: 'MTIzNA' },
    })
  }
})

test('an application of another project learns nothing of a token', async () => {
  await using idp = await startIdp()
  const other = { ...idp.project, id: 'another-project', name: 'Other' }
  const stranger = application({ projectId: other.id, name: 'stranger', clientSecretHash: hashSecret('the secret of a stranger') })
  await idp.domain.catalogue.commit({ putProjects: [other], putApplications: [stranger], events: [] })
  const { configuration, tokens } = await signIn(idp, { scope: 'openid offline_access' })
  const foreign = await relyingParty(idp, stranger, 'the secret of a stranger')
  expect(await client.tokenIntrospection(foreign, tokens.access_token)).toEqual({ active: false })
  await client.tokenRevocation(foreign, tokens.access_token).catch(() => undefined)
  await client.tokenRevocation(foreign, tokens.refresh_token as string).catch(() => undefined)
  expect((await userinfo(idp, tokens.access_token)).status).toBe(200)
  expect(await client.refreshTokenGrant(configuration, tokens.refresh_token as string)).toHaveProperty('access_token')
})

test('`audience: client` leaves an application alone in the audience of its ID tokens', async () => {
  await using idp = await startIdp()
  await idp.domain.catalogue.commit({ putApplications: [{ ...idp.web, audience: 'client', accessTokenType: 'jwt' }], events: [] })
  const { tokens } = await signIn(idp)
  expect(decodeJwt(tokens.id_token as string)).toMatchObject({ aud: idp.web.clientId, azp: idp.web.clientId })
  expect(decodeJwt(tokens.access_token).aud).toEqual([idp.web.clientId])
})

test('an application gets a token for itself', async () => {
  await using idp = await startIdp()
  const configuration = await relyingParty(idp, idp.web)
  const tokens = await client.clientCredentialsGrant(configuration, { scope: 'openid' })
  expect(tokens.expires_in).toBeTypeOf('number')
  expect(await client.tokenIntrospection(configuration, tokens.access_token)).toMatchObject({ active: true, sub: idp.web.clientId })
  expect((await userinfo(idp, tokens.access_token)).status).toBe(401)

  await withJwtTokens(idp)
  const jwt = await client.clientCredentialsGrant(configuration, {})
  expect(decodeJwt(jwt.access_token)).toMatchObject({ sub: idp.web.clientId, client_id: idp.web.clientId })
  expect(await client.tokenIntrospection(configuration, jwt.access_token)).toMatchObject({ active: true, sub: idp.web.clientId })
})

test('a machine user gets a token of its own by its user name and secret', async () => {
  await using idp = await startIdp()
  const machine = await idp.domain.users.create(
    person({
      kind: 'machine',
      username: 'inventory-sync',
      password: undefined,
      profile: { displayName: 'Inventory' },
      secretHash: hashSecret('machine secret'),
    }),
    { kind: 'system' },
  )
  const configuration = await client.discovery(new URL(idp.issuer), 'inventory-sync', {}, client.ClientSecretBasic('machine secret'), {
    execute: [client.allowInsecureRequests],
  })
  const tokens = await client.clientCredentialsGrant(configuration, { scope: `openid profile ${metadataScope}` })
  expect(await client.fetchUserInfo(configuration, tokens.access_token, machine.id)).toMatchObject({
    name: 'Inventory',
    preferred_username: 'inventory-sync',
    [metadataScope]: { ContractNumber: 'MTIzNA' },
  })
  await idp.domain.users.deactivate(machine.id, { kind: 'system' })
  expect((await userinfo(idp, tokens.access_token)).status).toBe(401)
  await expect(client.clientCredentialsGrant(configuration, {})).rejects.toMatchObject({ status: 401 })
})

const userinfo = (idp: Idp, token: string) => fetch(idp.url('/oidc/v1/userinfo'), { headers: { authorization: `Bearer ${token}` } })
