/** Applications on a person's own device (RFC 8252): whoever answers at their addresses proves nothing. */
import { expect, test } from 'vitest'
import { type Idp, startIdp } from '../../support/idp.ts'
import { signIn } from '../../support/relyingParty.ts'

const challenge = { code_challenge: 'A'.repeat(43), code_challenge_method: 'S256' }

/** Signs Jane in at the native application, and comes back to it with the same browser. */
async function comeBack(idp: Idp, changes: { firstParty: boolean; redirectUris: string[] }, parameters: Record<string, string> = {}) {
  const application = { ...idp.native, ...changes }
  await idp.domain.catalogue.commit({ putApplications: [application], events: [] })
  const scope = 'openid email'
  const browser = idp.browser()
  await signIn(idp, { browser, scope: 'openid' })
  const request = new URLSearchParams({
    response_type: 'code',
    client_id: application.clientId,
    redirect_uri: changes.redirectUris[0] as string,
    scope,
    state: 'a',
    ...challenge,
    ...parameters,
  })
  const ask = () => browser.open(`/oauth/v2/authorize?${request}`)
  return { browser, ask }
}

test.each([
  ['a scheme of its own', 'com.example.app:/callback'],
  ['a loopback address', 'http://127.0.0.1/callback'],
])(
  'a person is asked each time by a native application with %s, and told everything that it gets (RFC 8252, section 8.6)',
  async (_, uri) => {
    await using idp = await startIdp()
    const { browser, ask } = await comeBack(idp, { firstParty: false, redirectUris: [uri] })
    for (let time = 1; time <= 3; time += 1) {
      const page = await ask()
      expect(page.text, `time ${time}`).toContain('id="consent-allow"')
      expect(page.text).toContain('Your e-mail address')
      expect((await browser.submit(page, '/consent')).url.href).toMatch(new RegExp(`^${uri}.*[?&]code=`))
    }
  },
)

test('without asking, a native application gets no code', async () => {
  await using idp = await startIdp()
  const uri = 'com.example.app:/callback'
  const { ask } = await comeBack(idp, { firstParty: false, redirectUris: [uri] }, { prompt: 'none' })
  expect((await ask()).url.searchParams.get('error')).toMatch(/^(interaction|consent)_required$/)
})

test("a native application of the operator's own is never asked for", async () => {
  await using idp = await startIdp()
  const { ask } = await comeBack(idp, { firstParty: true, redirectUris: ['com.example.app:/callback'] })
  for (let time = 1; time <= 2; time += 1) expect((await ask()).url.searchParams.get('code')).toBeTruthy()
})
