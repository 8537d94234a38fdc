import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import * as client from 'openid-client'
import { describe, expect, test } from 'vitest'
import { startIdp } from '../../support/idp.ts'
import { authorize, metadataScope, relyingParty, signIn } from '../../support/relyingParty.ts'
import { testStores } from '../../support/stores.ts'

const everything = `openid profile email phone address ${metadataScope}`

describe.each(testStores)('on $name', ({ make }) => {
  test('a person signs in at a relying party, and userinfo has everything that the scopes ask for', async () => {
    await using idp = await startIdp({ store: make() })
    const { configuration, tokens } = await signIn(idp, { scope: everything })
    const expected = {
      sub: idp.jane.id,
      name: 'Jane Doe',
      given_name: 'Jane',
      family_name: 'Doe',
      nickname: 'JD',
      preferred_username: idp.jane.username,
      gender: 'female',
      locale: 'en',
      email: 'jane@acme.example',
      email_verified: true,
      phone_number: '+41 44 000 00 00',
      phone_number_verified: false,
      address: { formatted: 'Main Street 1, 8000 Zurich', locality: 'Zurich' },
      updated_at: Math.floor(idp.jane.changedAt.getTime() / 1000),
      [metadataScope]: { ContractNumber: 'MTIzNA' },
    }
    expect(await client.fetchUserInfo(configuration, tokens.access_token, idp.jane.id)).toEqual(expected)

    const posted = await fetch(idp.url('/oidc/v1/userinfo'), {
      method: 'POST',
      headers: { authorization: `Bearer ${tokens.access_token}` },
    })
    expect(posted.headers.get('content-type')).toContain('application/json')
    expect(await posted.json()).toEqual(expected)
  })

  test('userinfo tells nothing that no scope asked for', async () => {
    await using idp = await startIdp({ store: make() })
    const { configuration, tokens } = await signIn(idp, { scope: 'openid' })
    expect(await client.fetchUserInfo(configuration, tokens.access_token, idp.jane.id)).toEqual({ sub: idp.jane.id })
  })

  test('a person without metadata has no metadata claim', async () => {
    await using idp = await startIdp({ store: make() })
    await idp.domain.metadata.remove(idp.jane.id, ['ContractNumber'], { kind: 'system' })
    const { configuration, tokens } = await signIn(idp, { scope: `openid ${metadataScope}` })
    expect(await client.fetchUserInfo(configuration, tokens.access_token, idp.jane.id)).not.toHaveProperty(metadataScope)
  })

  test('the ID token has its claims and, without the assertion, none of userinfo', async () => {
    await using idp = await startIdp({ store: make() })
    const { tokens } = await signIn(idp, { scope: everything })
    const claims = decodeJwt(tokens.id_token as string)
    expect(Object.keys(claims).sort()).toEqual([
      'amr',
      'at_hash',
      'aud',
      'auth_time',
      'azp',
      'client_id',
      'exp',
      'iat',
      'iss',
      'nonce',
      'sid',
      'sub',
    ])
    expect(claims).toMatchObject({ iss: idp.issuer, sub: idp.jane.id, azp: idp.web.clientId, client_id: idp.web.clientId, amr: ['pwd'] })
    expect(claims.aud).toEqual(
      [idp.web.clientId, ...[idp.native.clientId, idp.spa.clientId].sort(), idp.project.id].sort(asGiven(claims.aud as string[])),
    )
  })

  test('"User Info inside ID Token" puts everything into the next ID token, and takes it out again, without a restart', async () => {
    await using idp = await startIdp({ store: make() })
    const browser = idp.browser()
    const first = await signIn(idp, { scope: everything, browser })
    expect(decodeJwt(first.tokens.id_token as string)).not.toHaveProperty('email')

    await idp.domain.catalogue.commit({ putApplications: [{ ...idp.web, idTokenUserinfoAssertion: true }], events: [] })
    const second = await signIn(idp, { scope: everything, browser })
    const userinfo = await client.fetchUserInfo(second.configuration, second.tokens.access_token, idp.jane.id)
    expect(decodeJwt(second.tokens.id_token as string)).toMatchObject(userinfo)
    expect(userinfo[metadataScope]).toEqual({ ContractNumber: 'MTIzNA' })

    await idp.domain.catalogue.commit({ putApplications: [idp.web], events: [] })
    const third = await signIn(idp, { scope: everything, browser })
    expect(decodeJwt(third.tokens.id_token as string)).not.toHaveProperty(metadataScope)
  })

  test('metadata keys that mean something to JavaScript or MongoDB arrive like any other', async () => {
    await using idp = await startIdp({ store: make() })
    const keys = [
      '__proto__',
      'constructor',
      'prototype',
      'toString',
      'a.b',
      '$set',
      '$where',
      '🙂',
      'ключ',
      'k'.repeat(200),
      '🙂'.repeat(200),
    ]
    await idp.domain.metadata.set(
      idp.jane.id,
      keys.map((key) => ({ key, value: Buffer.from(`value of ${key}`) })),
      { kind: 'system' },
    )
    await idp.domain.catalogue.commit({
      putApplications: [{ ...idp.web, idTokenUserinfoAssertion: true, accessTokenType: 'jwt' }],
      events: [],
    })
    const { tokens } = await signIn(idp, { scope: `openid ${metadataScope}` })
    const answered = await fetch(idp.url('/oidc/v1/userinfo'), { headers: { authorization: `Bearer ${tokens.access_token}` } })
    const sources = [await answered.text(), payloadText(tokens.id_token as string), payloadText(tokens.access_token)]
    for (const text of sources) {
      const claim = (JSON.parse(text) as Record<string, object>)[metadataScope] as object
      const entries = new Map(Object.entries(claim))
      for (const key of keys) expect(entries.get(key), key).toBe(Buffer.from(`value of ${key}`).toString('base64url'))
      expect(entries.size).toBe(keys.length + 1)
    }
  })

  test('an ID token verifies with nothing but the issuer', async () => {
    await using idp = await startIdp({ store: make() })
    for (const algorithm of ['RS256', 'ES256'] as const) {
      await idp.domain.catalogue.commit({ putApplications: [{ ...idp.web, idTokenSignedResponseAlg: algorithm }], events: [] })
      const { tokens } = await signIn(idp)
      const discovery = (await (await fetch(idp.url('/.well-known/openid-configuration'))).json()) as { jwks_uri: string; issuer: string }
      const verified = await jwtVerify(tokens.id_token as string, createRemoteJWKSet(new URL(discovery.jwks_uri)), {
        issuer: idp.issuer,
        audience: idp.web.clientId,
      })
      expect(verified.protectedHeader).toMatchObject({ alg: algorithm, kid: expect.any(String) })
    }
  })

  test('an application of others asks for consent, once a session, and the person may refuse', async () => {
    await using idp = await startIdp({ store: make() })
    const application = { ...idp.web, firstParty: false }
    await idp.domain.catalogue.commit({ putApplications: [application], events: [] })
    const configuration = await relyingParty(idp, application)
    const browser = idp.browser()
    const address = client.buildAuthorizationUrl(configuration, {
      redirect_uri: application.redirectUris[0] as string,
      scope: everything,
      code_challenge: 'A'.repeat(43),
      code_challenge_method: 'S256',
    })
    const login = await browser.open(address)
    const consent = await browser.submit(login, '/login', { username: idp.jane.username, password: 'a test password' })
    expect(consent.text).toContain('All metadata that is kept about you')
    const refused = await browser.submit(consent, '/deny')
    expect(refused.url.searchParams.get('error')).toBe('access_denied')

    const again = await browser.open(address)
    expect(again.text).toContain('id="consent-allow"')
    const allowed = await browser.submit(again, '/consent')
    expect(allowed.url.searchParams.get('code')).toBeTruthy()
    const { callback } = await authorize(idp, configuration, { application, browser, scope: everything })
    expect(callback.searchParams.get('code')).toBeTruthy()
  })
})

const payloadText = (jwt: string) => Buffer.from(jwt.split('.')[1] as string, 'base64url').toString()
const asGiven = (order: readonly string[]) => (a: string, b: string) => order.indexOf(a) - order.indexOf(b)
