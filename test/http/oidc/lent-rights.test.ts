/** An application gets a manager's rights at Dossier's own APIs only when the manager says so, whoever made the application. */
import { expect, test } from 'vitest'
import { password, startIdp } from '../../support/idp.ts'
import { authorize, relyingParty, zitadelAudience } from '../../support/relyingParty.ts'

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
