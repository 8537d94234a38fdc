/** What people can see and end of their own sessions. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as client from 'openid-client'
import { describe, expect, test } from 'vitest'
import { type Idp, person, startIdp } from '../../support/idp.ts'
import { authorize, relyingParty, signIn, zitadelAudience } from '../../support/relyingParty.ts'
import { testStores } from '../../support/stores.ts'

interface Listed {
  readonly id: string
  readonly signedInAt: string
  readonly expiresAt: string
  readonly amr: readonly string[]
  readonly applications: readonly string[]
}

const ask = (idp: Idp, token: string, path = '/account/sessions', method = 'GET') =>
  fetch(idp.url(path), { method, headers: { authorization: `Bearer ${token}` } })

const sessionsOf = async (idp: Idp, token: string) => ((await (await ask(idp, token)).json()) as { sessions: Listed[] }).sessions

const scope = `openid offline_access ${zitadelAudience}`

describe.each(testStores)('on $name', ({ make }) => {
  test('a person lists their sessions with the applications in them, and ends one: its browser is signed out, its tokens stop', async () => {
    await using idp = await startIdp({ store: make() })
    const here = await signIn(idp, { scope })
    const there = idp.browser()
    const foreign = await signIn(idp, { browser: there, scope: 'openid' })
    await signIn(idp, { browser: there, application: idp.spa })
    const token = here.tokens.access_token

    const sessions = await sessionsOf(idp, token)
    expect(sessions.map(({ applications }) => applications.toSorted())).toContainEqual([idp.web.clientId, idp.spa.clientId].toSorted())
    expect(sessions).toHaveLength(2)
    for (const session of sessions) {
      expect(session).toMatchObject({ id: expect.any(String), amr: ['pwd'], signedInAt: expect.stringMatching(/^\d{4}-.*Z$/) })
      expect(Date.parse(session.expiresAt)).toBeGreaterThan(Date.now())
    }
    const other = sessions.find(({ applications }) => applications.length === 2) as Listed
    expect((await ask(idp, token, `/account/sessions/${other.id}`, 'DELETE')).status).toBe(204)
    expect((await ask(idp, token, `/account/sessions/${other.id}`, 'DELETE')).status).toBe(404)
    expect(await sessionsOf(idp, token)).toHaveLength(1)
    expect(
      (await fetch(idp.url('/oidc/v1/userinfo'), { headers: { authorization: `Bearer ${foreign.tokens.access_token}` } })).status,
    ).toBe(401)
    const again = await authorize(idp, await relyingParty(idp, idp.web), { browser: there, parameters: { prompt: 'none' } })
    expect(again.callback.searchParams.get('error')).toBe('login_required')
    const events = await idp.domain.stores.audit.list({ kind: 'user', id: idp.jane.id }, { limit: 20 })
    expect(events.find(({ type }) => type === 'user.session_ended')).toMatchObject({
      actor: { kind: 'user', id: idp.jane.id },
      payload: { sessionId: other.id },
    })
  })

  test('what was asked for with offline_access outlives the session', async () => {
    await using idp = await startIdp({ store: make() })
    const { tokens, configuration } = await signIn(idp, { scope })
    const [session] = await sessionsOf(idp, tokens.access_token)
    await ask(idp, tokens.access_token, `/account/sessions/${session?.id}`, 'DELETE')
    const again = await client.refreshTokenGrant(configuration, tokens.refresh_token as string)
    expect(await sessionsOf(idp, again.access_token)).toEqual([])
  })
})

test('nobody sees or ends the sessions of another user, nor without a token made for this', async () => {
  await using idp = await startIdp()
  const { tokens } = await signIn(idp, { scope })
  const [session] = await sessionsOf(idp, tokens.access_token)
  const path = `/account/sessions/${session?.id}`
  await idp.domain.users.create(person({ username: 'stranger' }), { kind: 'system' })
  const stranger = (await signIn(idp, { username: 'stranger', scope })).tokens.access_token
  expect(await sessionsOf(idp, stranger)).toHaveLength(1)
  expect((await ask(idp, stranger, path, 'DELETE')).status).toBe(404)
  const narrow = (await signIn(idp, { scope: 'openid' })).tokens.access_token
  for (const [token, status] of [
    [narrow, 403],
    ['unknown', 401],
  ] as const) {
    const reply = await ask(idp, token, path, 'DELETE')
    expect(reply.status).toBe(status)
    expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer error="/)
    expect(await reply.json()).toMatchObject({ error: expect.any(String), error_description: expect.any(String) })
  }
  expect((await fetch(idp.url('/account/sessions'))).status).toBe(401)
  expect((await ask(idp, tokens.access_token, '/account/sessions/__proto__', 'DELETE')).status).toBe(404)
  expect(await sessionsOf(idp, tokens.access_token)).toHaveLength(2)
})

test('the applications of a session that is ended are told', async () => {
  const told: string[] = []
  const server = createServer((request, response) => {
    told.push(request.url ?? '')
    response.end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const backChannelLogoutUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/logout`
  await using idp = await startIdp({ environment: { DOSSIER_OUTBOUND_ALLOW: '127.0.0.1' } })
  await idp.domain.catalogue.commit({ putApplications: [{ ...idp.web, backChannelLogoutUri }], events: [] })
  const { tokens } = await signIn(idp, { scope })
  const [session] = await sessionsOf(idp, tokens.access_token)
  await ask(idp, tokens.access_token, `/account/sessions/${session?.id}`, 'DELETE')
  await expect.poll(() => told).toEqual(['/logout'])
  server.close()
})
