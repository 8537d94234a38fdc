/** An application gets a manager's rights at Dossier's own APIs only when the manager says so, whoever made the application. */
import { expect, test } from 'vitest'
import { password, startIdp } from '../../support/idp.ts'
import { authorize, relyingParty, signIn, zitadelAudience } from '../../support/relyingParty.ts'

test('an administrator is asked before an application of the operator’s own gets their rights, and told what they are', async () => {
  await using idp = await startIdp()
  await idp.domain.users.edit(idp.jane.id, { admin: true }, { kind: 'system' })
  const configuration = await relyingParty(idp, idp.web)
  const browser = idp.browser()
  const address = (scope: string, more = {}) =>
    `/oauth/v2/authorize?${new URLSearchParams({
      client_id: idp.web.clientId,
      redirect_uri: idp.web.redirectUris[0] as string,
      response_type: 'code',
      scope,
      code_challenge: 'A'.repeat(43),
      code_challenge_method: 'S256',
      ...more,
    })}`
  await authorize(idp, configuration, { browser, scope: 'openid profile' })

  const silent = await browser.open(address(`openid ${zitadelAudience}`, { prompt: 'none' }))
  expect(silent.url.searchParams.get('error')).toBe('consent_required')
  const asked = await browser.open(address(`openid ${zitadelAudience}`))
  expect(asked.text).toContain('id="consent-allow"')
  expect(asked.text).toContain('whatever you may see and manage here')
  const answered = await browser.submit(asked, '/consent')
  expect(answered.url.searchParams.get('code')).toBeTruthy()
  // Once is enough.
  expect((await browser.open(address(`openid ${zitadelAudience}`))).url.searchParams.get('code')).toBeTruthy()
})

test('somebody who manages nothing is not asked, and neither is the console’s visitor', async () => {
  await using idp = await startIdp()
  const configuration = await relyingParty(idp, idp.web)
  const browser = idp.browser()
  const { callback } = await authorize(idp, configuration, { browser, scope: `openid ${zitadelAudience}` })
  expect(callback.searchParams.get('code')).toBeTruthy()
  await idp.domain.users.edit(idp.jane.id, { admin: true }, { kind: 'system' })
  const other = idp.browser()
  const page = await other.submit(await other.open('/console'), '/login', { username: idp.jane.username, password })
  expect(page.url.pathname).toBe('/console')
})

test('whoever comes to manage signs in anew: a token that was given to nobody in particular opens nothing more', async () => {
  await using idp = await startIdp()
  const browser = idp.browser()
  const { tokens } = await signIn(idp, { browser, scope: `openid ${zitadelAudience}` })
  const search = () =>
    fetch(idp.url('/management/v1/users/_search'), {
      method: 'POST',
      headers: { authorization: `Bearer ${tokens.access_token}`, 'content-type': 'application/json' },
      body: '{}',
    })
  expect((await search()).status).toBe(403)
  await idp.domain.users.edit(idp.jane.id, { admin: true }, { kind: 'system' })
  expect((await search()).status).toBe(401)
})

test('the question is as plain where Dossier’s own project goes by its id', async () => {
  await using idp = await startIdp()
  const { ownProjectId } = await idp.domain.catalogue.root()
  await idp.domain.users.edit(idp.jane.id, { admin: true }, { kind: 'system' })
  const query = new URLSearchParams({
    client_id: idp.web.clientId,
    redirect_uri: idp.web.redirectUris[0] as string,
    response_type: 'code',
    scope: `openid urn:zitadel:iam:org:project:id:${ownProjectId}:aud`,
    code_challenge: 'A'.repeat(43),
    code_challenge_method: 'S256',
  })
  const browser = idp.browser()
  const page = await browser.submit(await browser.open(`/oauth/v2/authorize?${query}`), '/login', { username: idp.jane.username, password })
  expect(page.text).toContain('whatever you may see and manage here')
})
