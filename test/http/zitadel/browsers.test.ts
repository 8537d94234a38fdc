/** ZITADEL's API from a page in a browser, and for somebody who acts for another. */
import * as client from 'openid-client'
import { expect, test } from 'vitest'
import type { Application } from '#src/domain/applications/application.ts'
import { person, startIdp } from '../../support/idp.ts'
import { relyingParty, signIn, zitadelAudience } from '../../support/relyingParty.ts'

const path = '/auth/v1/users/me/metadata/_search'

test('a page of the application’s own origins searches metadata; one of another origin is refused in ZITADEL’s words', async () => {
  await using idp = await startIdp()
  const application = { ...idp.spa, additionalOrigins: ['https://app.example'] }
  await idp.domain.catalogue.commit({ putApplications: [application], events: [] })
  const { tokens } = await signIn(idp, { application, scope: `openid ${zitadelAudience}` })
  const preflight = await fetch(idp.url(path), {
    method: 'OPTIONS',
    headers: {
      origin: 'https://app.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  })
  expect(preflight.status).toBe(204)
  expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization,content-type')
  expect(Number(preflight.headers.get('access-control-max-age'))).toBeGreaterThan(0)
  const ask = (origin: string) =>
    fetch(idp.url(path), {
      method: 'POST',
      headers: { origin, 'content-type': 'application/json', authorization: `Bearer ${tokens.access_token}` },
      body: '{}',
    })
  for (const origin of ['http://localhost:5173', 'https://app.example']) {
    const reply = await ask(origin)
    expect([reply.status, reply.headers.get('access-control-allow-origin')]).toEqual([200, origin])
    expect(reply.headers.get('vary')).toContain('Origin')
  }
  const strange = await ask('https://evil.example')
  expect(strange.status).toBe(403)
  expect(await strange.json()).toMatchObject({ code: 7, message: expect.stringContaining('AUTH-DZG21') })
})

test('a token by which somebody acts for another is refused', async () => {
  await using idp = await startIdp()
  const gateway = { ...idp.web, id: 'gateway', clientId: 'gateway', grantTypes: ['tokenExchange'], redirectUris: [] } as Application
  await idp.domain.catalogue.commit({ putApplications: [gateway], events: [] })
  const { ownProjectId } = await idp.domain.catalogue.root()
  await idp.domain.users.create(person({ username: 'support', roles: { [ownProjectId]: ['ORG_END_USER_IMPERSONATOR'] } }), {
    kind: 'system',
  })
  const actor = await signIn(idp, { username: 'support', scope: `openid ${zitadelAudience}` })
  const acting = await client.genericGrantRequest(await relyingParty(idp, gateway), 'urn:ietf:params:oauth:grant-type:token-exchange', {
    subject_token: idp.jane.id,
    subject_token_type: 'urn:zitadel:params:oauth:token-type:user_id',
    actor_token: actor.tokens.access_token,
    actor_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    scope: `openid ${zitadelAudience}`,
  })
  const reply = await fetch(idp.url(path), { method: 'POST', headers: { authorization: `Bearer ${acting.access_token}` } })
  expect(reply.status).toBe(403)
  expect(await reply.json()).toMatchObject({ code: 7, message: 'Impersonated tokens not allowed for API (APP-Shi0J)' })
})
