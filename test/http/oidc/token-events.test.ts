/** What the audit trail keeps of tokens. */
import * as client from 'openid-client'
import { describe, expect, test } from 'vitest'
import type { AuditEvent, Subject } from '#src/domain/audit/events.ts'
import { type Idp, startIdp } from '../../support/idp.ts'
import { authorize, relyingParty, signIn } from '../../support/relyingParty.ts'
import { testStores } from '../../support/stores.ts'

const list = (idp: Idp, subject: Subject) => idp.domain.stores.audit.list(subject, { limit: 50 })

/** The events of tokens about `subject`, oldest first, once there are `count` of them. */
async function tokenEvents(idp: Idp, subject: Subject, count: number) {
  let events: readonly AuditEvent[] = []
  await expect
    .poll(async () => {
      events = (await list(idp, subject)).filter(({ type }) => type.startsWith('token.')).toReversed()
      return events.length
    })
    .toBe(count)
  return events.map(({ type, payload }) => ({ type, ...payload }))
}

describe.each(testStores)('on $name', ({ make }) => {
  test('issued, refreshed, revoked and refused tokens are kept with application, user, grant and reason, and never a token', async () => {
    await using idp = await startIdp({ store: make() })
    const { tokens, configuration, callback, codeVerifier } = await signIn(idp, { scope: 'openid offline_access' })
    const first = tokens.refresh_token as string
    const { clientId } = idp.web
    const refreshed = await client.refreshTokenGrant(configuration, first)
    await expect(client.refreshTokenGrant(configuration, first)).rejects.toMatchObject({
      error: 'invalid_grant',
      error_description: 'refresh_token: refresh token already used',
    })
    const jane = { kind: 'user', id: idp.jane.id } as const
    const events = await tokenEvents(idp, jane, 4)
    expect(events).toEqual([
      { type: 'token.issued', clientId, grant: 'authorization_code', scope: 'openid offline_access' },
      { type: 'token.refreshed', clientId, grant: 'refresh_token', scope: 'openid offline_access' },
      { type: 'token.revoked', clientId, reason: 'used twice' },
      { type: 'token.refused', clientId, grant: 'refresh_token', reason: 'invalid_grant: refresh_token: refresh token already used' },
    ])
    const again = await signIn(idp)
    await client.tokenRevocation(configuration, again.tokens.access_token)
    expect(await tokenEvents(idp, jane, 6)).toContainEqual({ type: 'token.revoked', clientId, reason: 'revocation' })
    const written = JSON.stringify(await list(idp, jane))
    const secrets = [
      first,
      tokens.access_token,
      refreshed.access_token,
      refreshed.refresh_token,
      codeVerifier,
      callback.searchParams.get('code'),
    ]
    for (const secret of secrets) expect(written).not.toContain(secret)
  })

  test('a token of an application’s own is an event about the application; strangers fill nothing', async () => {
    await using idp = await startIdp({ store: make() })
    const configuration = await relyingParty(idp, idp.web)
    await client.clientCredentialsGrant(configuration, { scope: 'openid' })
    const stranger = await relyingParty(idp, idp.web, 'not the secret')
    await expect(client.clientCredentialsGrant(stranger)).rejects.toMatchObject({ status: 401 })
    await expect(client.genericGrantRequest(configuration, 'refresh_token', { refresh_token: 'unknown' })).rejects.toMatchObject({
      error_description: 'refresh_token: refresh token not found',
    })
    const { clientId } = idp.web
    expect(await tokenEvents(idp, { kind: 'application', id: clientId }, 2)).toEqual([
      { type: 'token.issued', clientId, grant: 'client_credentials', scope: 'openid' },
      { type: 'token.refused', clientId, grant: 'refresh_token', reason: 'invalid_grant: refresh_token: refresh token not found' },
    ])
  })

  test('a code that many present at once is one token and many refusals', async () => {
    await using idp = await startIdp({ store: make() })
    const configuration = await relyingParty(idp, idp.web)
    const done = await authorize(idp, configuration, {})
    const checks = { pkceCodeVerifier: done.codeVerifier, expectedNonce: done.nonce, expectedState: done.state }
    const exchange = () =>
      client.authorizationCodeGrant(configuration, done.callback, checks).then(
        () => 'issued',
        () => 'refused',
      )
    const outcomes = await Promise.all(Array.from({ length: 10 }, exchange))
    expect(outcomes.filter((each) => each === 'issued')).toHaveLength(1)
    const issued = async () => (await list(idp, { kind: 'user', id: idp.jane.id })).filter(({ type }) => type === 'token.issued')
    await expect.poll(issued).toHaveLength(1)
  })
})

test('a server that stops writes the events that wait', async () => {
  const store = testStores[0]?.make() as string
  const idp = await startIdp({ store })
  await client.clientCredentialsGrant(await relyingParty(idp, idp.web))
  const { clientId } = idp.web
  await idp[Symbol.asyncDispose]()
  await using again = await startIdp({ store })
  expect((await list(again, { kind: 'application', id: clientId })).map(({ type }) => type)).toContain('token.issued')
})
