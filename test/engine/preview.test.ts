/** What the console says that an application receives is what it receives. */
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { withBuiltIn } from '#src/domain/applications/builtIn.ts'
import { createPreview } from '#src/engine/preview.ts'
import { startIdp } from '../support/idp.ts'
import { metadataScope, signIn } from '../support/relyingParty.ts'

const scopes = [
  'openid',
  `openid profile email phone address ${metadataScope}`,
  `openid ${metadataScope} urn:zitadel:iam:user:resourceowner urn:zitadel:iam:org:projects:roles user_metadata`,
]

/** Each token has its own of these. */
const madeAnew = ['jti', 'at_hash', 'auth_time', 'amr', 'nonce', 'sid', 'iat', 'exp', 'nbf']
const lasting = (claims: object) => Object.fromEntries(Object.entries(claims).filter(([name]) => !madeAnew.includes(name)))

test.each([
  ['as it is', {}],
  ['with User Info inside ID Token', { idTokenUserinfoAssertion: true }],
  ['with roles everywhere', { idTokenRoleAssertion: true, accessTokenRoleAssertion: true }],
  ['with JWT access tokens', { accessTokenType: 'jwt', accessTokenRoleAssertion: true, audience: 'client' }],
] as const)('an application %s', async (_, changes) => {
  await using idp = await startIdp()
  const { domain, issuer, jane } = idp
  const application = { ...idp.web, ...changes }
  await domain.catalogue.commit({ putApplications: [application], events: [] })
  const preview = createPreview({
    issuer,
    users: { ...domain.users, customDataOf: async () => undefined },
    catalogue: withBuiltIn(domain.catalogue, issuer),
    now: () => new Date(),
  })
  for (const scope of scopes) {
    const { tokens } = await signIn(idp, { application, scope })
    const userinfo = await fetch(idp.url('/oidc/v1/userinfo'), { headers: { authorization: `Bearer ${tokens.access_token}` } })
    const told = await preview(jane.id, application.clientId, scope)
    expect(told?.userinfo).toEqual(await userinfo.json())
    expect(lasting(told?.idToken ?? {})).toEqual(lasting(decodeJwt(tokens.id_token ?? '')))
    const isJwt = application.accessTokenType === 'jwt'
    expect(told?.accessToken && lasting(told.accessToken)).toEqual(isJwt ? lasting(decodeJwt(tokens.access_token)) : undefined)
  }
  expect(await preview(jane.id, 'nobody', 'openid')).toBeUndefined()
})
