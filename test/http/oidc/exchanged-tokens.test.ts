/** Exchanged tokens (RFC 8693) end with what they were made from. */
import * as client from 'openid-client'
import { describe, expect, test } from 'vitest'
import { type Idp, startIdp } from '../../support/idp.ts'
import { relyingParty, signIn } from '../../support/relyingParty.ts'
import { testStores } from '../../support/stores.ts'

const grant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const types = { opaque: 'urn:ietf:params:oauth:token-type:access_token', jwt: 'urn:ietf:params:oauth:token-type:jwt' }

/** Jane signed in at the web application, which another one has exchanged her token: once opaque, once as a JWT, and one of them once more. */
async function exchanged(idp: Idp, scope = 'openid') {
  const gateway = { ...idp.web, id: 'gateway', clientId: 'gateway', grantTypes: ['tokenExchange'], redirectUris: [] } as const
  await idp.domain.catalogue.commit({ putApplications: [gateway], events: [] })
  const { browser, tokens } = await signIn(idp, { scope })
  const configuration = await relyingParty(idp, gateway)
  const exchange = async (subject_token: string, requested_token_type = types.opaque) =>
    (await client.genericGrantRequest(configuration, grant, { subject_token, subject_token_type: types.opaque, requested_token_type }))
      .access_token
  const opaque = await exchange(tokens.access_token)
  const made = [opaque, await exchange(tokens.access_token, types.jwt), await exchange(opaque)]

  /** How many of them work: at userinfo by either way that it is asked, and for whoever introspects them. */
  async function working() {
    const answers = await Promise.all(
      made.flatMap((token) => [
        fetch(idp.url('/oidc/v1/userinfo'), { headers: { authorization: `Bearer ${token}` } }).then(({ status }) => status === 200),
        fetch(idp.url('/oidc/v1/userinfo'), { method: 'POST', headers: { authorization: `Bearer ${token}` } }).then(
          ({ status }) => status === 200,
        ),
        client.tokenIntrospection(configuration, token).then(({ active }) => active),
      ]),
    )
    return answers.filter(Boolean).length
  }
  return { browser, working }
}

describe.each(testStores)('on $name, an exchanged token', ({ make }) => {
  test('ends with the sign-out of the session that its subject token had', async () => {
    await using idp = await startIdp({ store: make() })
    const { browser, working } = await exchanged(idp)
    expect(await working()).toBe(9)
    await browser.submit(await browser.open('/oidc/v1/end_session'), '/confirm', { logout: 'yes' })
    expect(await working()).toBe(0)
  })

  test('ends when the user ends that session, is deactivated, or the session is over', async () => {
    let at = Date.now()
    await using idp = await startIdp({ store: make(), now: () => new Date(at) })
    const system = { kind: 'system' } as const
    const ending = await exchanged(idp)
    const pat = await idp.domain.users.createToken(idp.jane.id, { name: 'for the sessions' }, system)
    const headers = { authorization: `Bearer ${pat.token}` }
    const { sessions } = (await (await fetch(idp.url('/account/sessions'), { headers })).json()) as { sessions: { id: string }[] }
    for (const { id } of sessions) await fetch(idp.url(`/account/sessions/${id}`), { method: 'DELETE', headers })
    expect(await ending.working()).toBe(0)

    const deactivated = await exchanged(idp)
    await idp.domain.users.deactivate(idp.jane.id, system)
    expect(await deactivated.working()).toBe(0)
    await idp.domain.users.reactivate(idp.jane.id, system)

    const { settings } = await idp.domain.catalogue.root()
    await idp.domain.catalogue.commit({ settings: { ...settings, sessionTtlSeconds: 600 }, events: [] })
    const passing = await exchanged(idp)
    expect(await passing.working()).toBe(9)
    at += 700_000
    expect(await passing.working()).toBe(0)
  })

  test('outlives the session if its subject token does', async () => {
    await using idp = await startIdp({ store: make() })
    const { browser, working } = await exchanged(idp, 'openid offline_access')
    await browser.submit(await browser.open('/oidc/v1/end_session'), '/confirm', { logout: 'yes' })
    expect(await working()).toBe(9)
  })
})
