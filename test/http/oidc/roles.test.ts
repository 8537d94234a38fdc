import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { expect, test } from 'vitest'
import { startIdp } from '../../support/idp.ts'
import { signIn, zitadelAudience } from '../../support/relyingParty.ts'

const own = 'urn:zitadel:iam:org:project:roles'
const rolePrefix = 'urn:zitadel:iam:org:project:role:'

test('a role that a scope asks for arrives in the form {role: {organization: domain}}', async () => {
  await using idp = await startIdp()
  const { organization } = await idp.domain.catalogue.root()
  const { configuration, tokens } = await signIn(idp, { scope: `openid ${rolePrefix}reader ${rolePrefix}writer` })
  const held = { reader: { [organization.id]: organization.primaryDomain } }
  const userinfo = await client.fetchUserInfo(configuration, tokens.access_token, idp.jane.id)
  expect(userinfo).toEqual({ sub: idp.jane.id, [own]: held, [`urn:zitadel:iam:org:project:${idp.project.id}:roles`]: held })
  expect(decodeJwt(tokens.id_token as string)).not.toHaveProperty(own)
})

test('a project that asserts its roles does so unasked, in ID tokens when the application wants it', async () => {
  await using idp = await startIdp()
  await idp.domain.catalogue.commit({
    putProjects: [{ ...idp.project, projectRoleAssertion: true }],
    putApplications: [{ ...idp.web, idTokenRoleAssertion: true }],
    events: [],
  })
  const { configuration, tokens } = await signIn(idp)
  expect(await client.fetchUserInfo(configuration, tokens.access_token, idp.jane.id)).toHaveProperty([own])
  const claims = decodeJwt(tokens.id_token as string)
  expect(claims[own]).toHaveProperty('reader')
  expect(claims).not.toHaveProperty('email')
})

test('roles of other projects come with their audience and the scope for all roles', async () => {
  await using idp = await startIdp()
  const other = { ...idp.project, id: 'the-other-project', name: 'Other' }
  await idp.domain.catalogue.commit({ putProjects: [other], events: [] })
  await idp.domain.users.edit(idp.jane.id, { roles: { [idp.project.id]: ['reader'], [other.id]: ['writer'] } }, { kind: 'system' })
  const scope = `openid urn:zitadel:iam:org:projects:roles urn:zitadel:iam:org:project:id:${other.id}:aud`
  const { configuration, tokens } = await signIn(idp, { scope })
  const userinfo = await client.fetchUserInfo(configuration, tokens.access_token, idp.jane.id)
  expect(userinfo[own]).toHaveProperty('reader')
  expect(userinfo[`urn:zitadel:iam:org:project:${other.id}:roles`]).toHaveProperty('writer')
  expect(await client.tokenIntrospection(configuration, tokens.access_token)).toMatchObject({ aud: expect.arrayContaining([other.id]) })
})

test('a person without the role has no role claim', async () => {
  await using idp = await startIdp()
  const { configuration, tokens } = await signIn(idp, { scope: `openid ${rolePrefix}writer` })
  expect(await client.fetchUserInfo(configuration, tokens.access_token, idp.jane.id)).toEqual({ sub: idp.jane.id })
})

test('the resource owner is told in three claims', async () => {
  await using idp = await startIdp()
  const { organization, ownProjectId } = await idp.domain.catalogue.root()
  const { configuration, tokens } = await signIn(idp, { scope: `openid urn:zitadel:iam:user:resourceowner ${zitadelAudience}` })
  expect(await client.fetchUserInfo(configuration, tokens.access_token, idp.jane.id)).toEqual({
    sub: idp.jane.id,
    'urn:zitadel:iam:user:resourceowner:id': organization.id,
    'urn:zitadel:iam:user:resourceowner:name': organization.name,
    'urn:zitadel:iam:user:resourceowner:primary_domain': organization.primaryDomain,
  })
  expect(await client.tokenIntrospection(configuration, tokens.access_token)).toMatchObject({ aud: expect.arrayContaining([ownProjectId]) })
})
