/** What applications that register themselves are refused, whatever they ask for, and what they do not learn of each other and of the operator's. */
import * as client from 'openid-client'
import { expect, test } from 'vitest'
import { registeredProjectId } from '#src/domain/applications/application.ts'
import { kept, openIdp, registeredParty } from '../../support/registration.ts'
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
