/** Who may ask about a token (RFC 7662, section 2.1), and who is told nothing. */
import * as client from 'openid-client'
import { expect, test } from 'vitest'
import { hashSecret } from '#src/domain/users/secrets.ts'
import { type Idp, startIdp } from '../../support/idp.ts'
import { application, project } from '../../support/records.ts'
import { relyingParty, signIn } from '../../support/relyingParty.ts'

/** Another project with an API of its own. */
async function otherProject(idp: Idp) {
  const other = project({ name: 'Orders' })
  const api = application({
    projectId: other.id,
    name: 'api',
    type: 'api',
    redirectUris: [],
    grantTypes: [],
    clientSecretHash: hashSecret(idp.secret),
  })
  await idp.domain.catalogue.commit({ putProjects: [other], putApplications: [api], events: [] })
  return { other, api, asking: await relyingParty(idp, api) }
}

test('the API of a project that a scope names learns of the token, of a person and of a service account; of others it learns nothing', async () => {
  await using idp = await startIdp()
  const { other, api, asking } = await otherProject(idp)
  const plain = await signIn(idp, { scope: 'openid' })
  expect(await client.tokenIntrospection(asking, plain.tokens.access_token)).toEqual({ active: false })
  const scope = `openid urn:zitadel:iam:org:project:id:${other.id}:aud`
  const named = await signIn(idp, { scope })
  expect(await client.tokenIntrospection(asking, named.tokens.access_token)).toMatchObject({ active: true, sub: idp.jane.id })

  await idp.domain.users.create(
    { kind: 'machine', username: 'robot', profile: {}, secretHash: hashSecret('of a robot') },
    { kind: 'system' },
  )
  const robot = await client.discovery(new URL(idp.issuer), 'robot', {}, client.ClientSecretBasic('of a robot'), {
    execute: [client.allowInsecureRequests],
  })
  const own = await client.clientCredentialsGrant(robot, { scope })
  expect(await client.tokenIntrospection(asking, own.access_token)).toMatchObject({ active: true, username: 'robot' })
  expect(await client.tokenIntrospection(asking, (await client.clientCredentialsGrant(robot, { scope: 'openid' })).access_token)).toEqual({
    active: false,
  })

  await idp.domain.catalogue.commit({ putApplications: [{ ...api, active: false }], events: [] })
  await expect(client.tokenIntrospection(asking, named.tokens.access_token)).rejects.toMatchObject({ status: 401 })
})

test('an application that proves nothing learns nothing, not even of its own token', async () => {
  await using idp = await startIdp()
  const own = await signIn(idp, { application: idp.spa, scope: 'openid email' })
  const foreign = await signIn(idp, { scope: 'openid email' })
  for (const { tokens } of [own, foreign]) {
    const body = new URLSearchParams({ client_id: idp.spa.clientId, token: tokens.access_token })
    const reply = await fetch(idp.url('/oauth/v2/introspect'), { method: 'POST', body })
    expect(reply.status).toBe(401)
    expect(await reply.text()).not.toContain('jane@acme.example')
  }
  const document = (await (await fetch(idp.url('/.well-known/openid-configuration'))).json()) as Record<string, string[]>
  expect(document.introspection_endpoint_auth_methods_supported).not.toContain('none')
})
