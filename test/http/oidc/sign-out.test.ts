import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { expect, test } from 'vitest'
import { type Idp, startIdp } from '../../support/idp.ts'
import { authorize, signIn } from '../../support/relyingParty.ts'

const returnTo = 'http://localhost:3000/'

test('sign-out asks first, ends the session and its tokens, and goes back to the application with the state', async () => {
  await using idp = await startIdp()
  const { configuration, browser, tokens } = await signIn(idp)
  expect(Array.isArray(decodeJwt(tokens.id_token as string).aud)).toBe(true)
  const address = client.buildEndSessionUrl(configuration, {
    id_token_hint: tokens.id_token as string,
    post_logout_redirect_uri: returnTo,
    state: 'abc',
  })
  const page = await browser.open(address)
  expect(page.text).toMatch(/id="logout-confirm"[\s\S]*id="logout-cancel"/)
  const back = await browser.submit(page, '/confirm', { logout: 'yes' })
  expect(back.url.href).toBe(`${returnTo}?state=abc`)
  expect((await userinfo(idp, tokens.access_token)).status).toBe(401)
  const silent = await authorize(idp, configuration, { browser, parameters: { prompt: 'none' } })
  expect(silent.callback.searchParams.get('error')).toBe('login_required')
})

test('the audit trail has the sign-in and the sign-out, with the application', async () => {
  await using idp = await startIdp()
  const { browser } = await signIn(idp)
  await browser.submit(await browser.open(`/oidc/v1/end_session?client_id=${idp.web.clientId}`), '/confirm', { logout: 'yes' })
  const types = async () =>
    (await idp.domain.stores.audit.list({ kind: 'user', id: idp.jane.id }, { limit: 2 })).map(({ type, payload }) => ({ type, ...payload }))
  await expect.poll(types).toMatchObject([
    { type: 'user.signed_out', clientId: idp.web.clientId },
    { type: 'user.signed_in', clientId: idp.web.clientId, amr: ['pwd'] },
  ])
})

test('cancelling a sign-out changes nothing', async () => {
  await using idp = await startIdp()
  const { configuration, browser, tokens } = await signIn(idp)
  const page = await browser.open(
    client.buildEndSessionUrl(configuration, { id_token_hint: tokens.id_token as string, post_logout_redirect_uri: returnTo }),
  )
  const cancelled = await browser.submit(page, '/confirm')
  expect(cancelled.text).toContain('<h1>Still signed in</h1>')
  expect((await userinfo(idp, tokens.access_token)).status).toBe(200)
  const silent = await authorize(idp, configuration, { browser, parameters: { prompt: 'none' } })
  expect(silent.callback.searchParams.get('code')).toBeTruthy()
})

test('after a sign-out was cancelled there is a way back to the application, if it says where that is', async () => {
  await using idp = await startIdp()
  const { browser, tokens } = await signIn(idp)
  const wayBack = async (changes: object) => {
    await idp.domain.catalogue.commit({ putApplications: [{ ...idp.web, ...changes }], events: [] })
    const page = await browser.open(`/oidc/v1/end_session?id_token_hint=${tokens.id_token}`)
    const { text } = await browser.submit(page, '/confirm')
    expect(text).toContain('<h1>Still signed in</h1>')
    return /id="way-back" href="([^"]*)">([^<]*)</.exec(text)?.slice(1)
  }
  expect(await wayBack({})).toBeUndefined()
  expect(await wayBack({ clientUri: 'https://app.example/?a=1' })).toEqual(['https://app.example/?a=1', 'Back to web'])
  const begin = 'https://app.example/login'
  expect(await wayBack({ initiateLoginUri: begin })).toEqual([`${begin}?iss=${encodeURIComponent(idp.issuer)}`, 'Back to web'])
})

test('requests to sign in and to sign out may be posted', async () => {
  await using idp = await startIdp()
  const { browser, tokens } = await signIn(idp)
  const challenge = { code_challenge: 'A'.repeat(43), code_challenge_method: 'S256' }
  const request = {
    response_type: 'code',
    client_id: idp.web.clientId,
    redirect_uri: idp.web.redirectUris[0] as string,
    scope: 'openid',
    state: 'a&b=c',
    ...challenge,
  }
  const back = await browser.open('/oauth/v2/authorize', request)
  expect(back.url.searchParams.get('code')).toBeTruthy()
  expect(back.url.searchParams.get('state')).toBe('a&b=c')
  const page = await browser.open('/oidc/v1/end_session', { id_token_hint: tokens.id_token as string, post_logout_redirect_uri: returnTo })
  expect((await browser.submit(page, '/confirm', { logout: 'yes' })).url.href).toBe(returnTo)
})

test('sign-out without an application ends on a page of ours', async () => {
  await using idp = await startIdp()
  const { browser } = await signIn(idp)
  const page = await browser.open('/oidc/v1/end_session')
  expect((await browser.submit(page, '/confirm', { logout: 'yes' })).text).toContain('<h1>Signed out</h1>')
})

test('a sign-out with a bad hint or an unknown address is refused on a page, and never redirects', async () => {
  await using idp = await startIdp()
  const { browser, tokens } = await signIn(idp)
  const hint = tokens.id_token as string
  const [header, payload, signature = ''] = hint.split('.')
  const forged = `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
  for (const query of [
    `id_token_hint=${forged}`,
    'id_token_hint=nonsense',
    `id_token_hint=${hint}&post_logout_redirect_uri=https://evil.example/`,
    `client_id=${idp.web.clientId}&post_logout_redirect_uri=https://evil.example/`,
    `id_token_hint=${hint}&client_id=${idp.spa.clientId}`,
    'client_id=nobody&post_logout_redirect_uri=https://evil.example/',
  ]) {
    const page = await browser.open(`/oidc/v1/end_session?${query}`)
    expect(page.status, query).toBe(400)
    expect(page.text).toContain('<h1 id="error-title">Logout error</h1>')
  }
  expect((await userinfo(idp, tokens.access_token)).status).toBe(200)
})

test('a post_logout_redirect_uri without hint and client is not followed', async () => {
  await using idp = await startIdp()
  const { browser } = await signIn(idp)
  const page = await browser.open('/oidc/v1/end_session?post_logout_redirect_uri=https://evil.example/')
  const done = await browser.submit(page, '/confirm', { logout: 'yes' })
  expect(done.url.origin).toBe(idp.issuer)
})

test('the sign-out form of another site is refused', async () => {
  await using idp = await startIdp()
  const { browser, tokens } = await signIn(idp)
  await browser.open('/oidc/v1/end_session')
  const page = await browser.open('/oidc/v1/end_session/confirm', { xsrf: 'guessed', logout: 'yes' })
  expect(page.status).toBe(400)
  expect((await userinfo(idp, tokens.access_token)).status).toBe(200)
})

const userinfo = (idp: Idp, token: string) => fetch(idp.url('/oidc/v1/userinfo'), { headers: { authorization: `Bearer ${token}` } })
