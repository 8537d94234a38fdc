/** An application that is removed takes along what was issued to it: by its own wish, or the operator's. */
import { describe, expect, test } from 'vitest'
import { type Idp, startIdp } from '../../support/idp.ts'
import { manage, openIdp, registeredParty } from '../../support/registration.ts'
import { metadataScope, signIn, zitadelAudience } from '../../support/relyingParty.ts'
import { testStores } from '../../support/stores.ts'

async function post(idp: Idp, path: string, body: Record<string, string>, headers: Record<string, string> = {}) {
  const reply = await fetch(idp.url(path), { method: 'POST', headers, body: new URLSearchParams(body) })
  return { status: reply.status, ...((await reply.json()) as { active?: boolean; error?: string }) }
}

const basic = (id: string, secret: string) => ({ authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` })

/** What is answered for the tokens of a user: by status, or whether they are active to an application of a project that they are meant for. */
async function answers(idp: Idp, access: string, refresh: string) {
  const bearer = { authorization: `Bearer ${access}` }
  const beside = basic(idp.web.clientId, idp.secret)
  const introspected = async (token: string, hint: string) =>
    (await post(idp, '/oauth/v2/introspect', { token, token_type_hint: hint }, beside)).active
  const search = { method: 'POST', headers: { ...bearer, 'content-type': 'application/json' }, body: '{}' }
  return {
    quickUserinfo: (await fetch(idp.url('/oidc/v1/userinfo'), { headers: bearer })).status,
    userinfo: (await fetch(idp.url('/oidc/v1/userinfo'), { method: 'POST', headers: bearer })).status,
    access: await introspected(access, 'access_token'),
    accessWithWrongHint: await introspected(access, 'refresh_token'),
    refresh: await introspected(refresh, 'refresh_token'),
    refreshWithWrongHint: await introspected(refresh, 'access_token'),
    metadata: (await fetch(idp.url('/auth/v1/users/me/metadata/_search'), search)).status,
    sessions: (await fetch(idp.url('/account/sessions'), { headers: bearer })).status,
  }
}

const good = { access: true, accessWithWrongHint: true, refresh: true, refreshWithWrongHint: true }
const over = { access: false, accessWithWrongHint: false, refresh: false, refreshWithWrongHint: false }

describe.each(testStores)('on $name', ({ make }) => {
  test.each(['bearer', 'jwt'] as const)(
    '%s tokens of an application that the operator removed are refused at once everywhere',
    async (form) => {
      await using idp = await startIdp({ store: make() })
      const { catalogue } = idp.domain
      const application = { ...idp.web, id: 'going', name: 'going', clientId: 'going', accessTokenType: form }
      await catalogue.commit({ putApplications: [application], events: [] })
      const scope = `openid offline_access ${metadataScope} ${zitadelAudience} urn:zitadel:iam:org:project:id:${idp.project.id}:aud`
      const { access_token: access, refresh_token: refresh = '' } = (await signIn(idp, { application, scope })).tokens
      expect(await answers(idp, access, refresh)).toEqual({ quickUserinfo: 200, userinfo: 200, ...good, metadata: 200, sessions: 200 })
      await catalogue.commit({ removeApplications: [application.id], events: [] })
      expect(await answers(idp, access, refresh)).toEqual({ quickUserinfo: 401, userinfo: 401, ...over, metadata: 401, sessions: 401 })

      const again = { grant_type: 'refresh_token', refresh_token: refresh }
      expect(await post(idp, '/oauth/v2/token', again, basic('going', idp.secret))).toMatchObject({ status: 401, error: 'invalid_client' })
      const taken = await post(idp, '/oauth/v2/token', again, basic(idp.web.clientId, idp.secret))
      expect(taken).toMatchObject({ status: 400, error: 'invalid_grant' })
      expect(idp.log.join('')).not.toContain('"level":50')
    },
  )

  test('tokens of an application that removed itself are refused at once', async () => {
    await using idp = await openIdp({ store: make() })
    const { made, tokens } = await registeredParty(idp, { grant_types: ['authorization_code', 'refresh_token'] }, 'openid offline_access')
    expect(await answers(idp, tokens.access_token, '')).toMatchObject({ quickUserinfo: 200, userinfo: 200 })
    expect((await manage(made, 'DELETE')).status).toBe(204)
    expect(await answers(idp, tokens.access_token, '')).toMatchObject({ quickUserinfo: 401, userinfo: 401, metadata: 401, sessions: 401 })
    const again = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' }
    const refreshed = await post(idp, '/oauth/v2/token', again, basic(made.client_id, made.client_secret ?? ''))
    expect(refreshed).toMatchObject({ status: 401, error: 'invalid_client' })
  })
})
