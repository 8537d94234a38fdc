/** A browser that comes back with a session: most are sent on beside the engine, and nobody can tell. */
import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Application } from '#src/domain/applications/application.ts'
import { type Idp, startIdp } from '../../support/idp.ts'
import { authorize, metadataScope, relyingParty } from '../../support/relyingParty.ts'
import { testStores } from '../../support/stores.ts'

const verifier = randomBytes(32).toString('base64url')
const challenge = createHash('sha256').update(verifier).digest('base64url')
const everything = `openid profile email offline_access ${metadataScope}`

type Parameters = Readonly<Record<string, string>>

const parametersOf = ({ clientId, redirectUris }: Application, scope: string): Parameters => ({
  response_type: 'code',
  client_id: clientId,
  redirect_uri: redirectUris[0] as string,
  scope,
  state: 'a&b=ü',
  nonce: 'n-0S6_WzA2Mj',
  code_challenge: challenge,
  code_challenge_method: 'S256',
})

/** Signs Jane in at an application and answers the cookies of her browser. */
async function knownBrowser(idp: Idp, application: Application, scope = everything): Promise<string> {
  const browser = idp.browser()
  await authorize(idp, await relyingParty(idp, application), { application, browser, scope })
  return browser.cookieHeader('/oauth/v2/authorize')
}

const ask = (idp: Idp, cookie: string, parameters: Parameters) =>
  fetch(idp.url(`/oauth/v2/authorize?${new URLSearchParams(parameters)}`), { redirect: 'manual', headers: { cookie, accept: 'text/html' } })

const codeIn = (reply: Response) => new URL(reply.headers.get('location') ?? '', 'http://nowhere').searchParams.get('code')

const varyingHeaders = new Set(['date', 'x-request-id', 'location', 'set-cookie', 'content-length'])

/** Everything that a client, or whoever looks into the store, can tell from the reply. */
async function outcome(idp: Idp, cookie: string, reply: Response) {
  const code = codeIn(reply) ?? ''
  const mask = (text: string) => text.replaceAll(code, 'CODE')
  const { artifacts } = idp.domain.stores
  const sessionId = /dossier-session=([^;]+)/.exec(cookie)?.[1] ?? ''
  const stored = [await artifacts.find('AuthorizationCode', code), await artifacts.find('Session', sessionId)]
  return {
    status: reply.status,
    headers: [...reply.headers].filter(([name]) => !varyingHeaders.has(name)),
    cookies: reply.headers.getSetCookie().map((each) => {
      const [pair = '', ...attributes] = each.replace(/expires=[^;]+/, 'expires=').split('; ')
      return { name: pair.split('=')[0], isTheSame: cookie.split('; ').includes(pair), attributes: attributes.sort() }
    }),
    location: mask(reply.headers.get('location') ?? ''),
    body: mask(await reply.text()),
    stored: stored.map((found) => {
      const { iat, exp, jti, ...payload } = (found?.payload ?? {}) as { iat: number; exp: number; jti: string }
      return { ...payload, expiresAfter: exp - iat, jti: typeof jti }
    }),
  }
}

describe.each(testStores)('on $name', ({ make }) => {
  test.each<[string, Partial<Application>]>([
    ['our own', { firstParty: true }],
    ['somebody else’s', { firstParty: false }],
    ['a public', { authMethod: 'none' }],
  ])('a browser comes back for %s application, and gets and stores the same beside the engine as from it', async (_, changes) => {
    await using idp = await startIdp({ store: make() })
    const application = { ...idp.web, ...changes }
    await idp.domain.catalogue.commit({ putApplications: [application], events: [] })

    for (const scope of ['openid email', everything, `email openid email ${metadataScope}`]) {
      for (const more of [{}, { prompt: 'none' }] as Parameters[]) {
        const cookie = await knownBrowser(idp, application)
        const cookieOfEngine = await knownBrowser(idp, application)
        const parameters = { ...parametersOf(application, scope), ...more }
        // The engine ignores `display`; the quick way does not know it.
        const byEngine = await outcome(idp, cookieOfEngine, await ask(idp, cookieOfEngine, { ...parameters, display: 'page' }))
        const beside = await outcome(idp, cookie, await ask(idp, cookie, parameters))
        const varying = new Set('sid uid sessionUid grantId loginTs authTime expiresAfter'.split(' '))
        const comparable = (value: object) =>
          JSON.parse(JSON.stringify(value), (key, member) => (varying.has(key) ? typeof member : member))
        expect(comparable(beside)).toEqual(comparable(byEngine))
        expect(beside.status).toBe(303)
        expect(beside.location).toContain('CODE')
        expect(beside.stored[0]?.expiresAfter).toBe(60)
      }
    }
  })

  test('a browser that is known at one application signs in at no other by itself', async () => {
    await using idp = await startIdp({ store: make() })
    const cookie = await knownBrowser(idp, idp.web)
    const foreign = { ...idp.web, id: 'other', clientId: 'other-client', firstParty: false }
    await idp.domain.catalogue.commit({ putApplications: [foreign], events: [] })
    const reply = await ask(idp, cookie, parametersOf(foreign, 'openid email'))
    expect(codeIn(reply)).toBeNull()
    expect(reply.headers.get('location')).toMatch(/\/interaction\//)
  })

  test('no code comes back where a page or a refusal is due', async () => {
    await using idp = await startIdp({ store: make() })
    const application = { ...idp.web, firstParty: false }
    await idp.domain.catalogue.commit({ putApplications: [application], events: [] })
    const cookie = await knownBrowser(idp, application, 'openid email')
    const usual = parametersOf(application, 'openid email')
    const { code_challenge: _challenge, code_challenge_method: _method, ...withoutPkce } = usual
    expect(codeIn(await ask(idp, cookie, usual))).not.toBeNull()

    const asked: Readonly<Record<string, Parameters>> = {
      'a scope that was not granted': { ...usual, scope: everything },
      'a new sign-in': { ...usual, prompt: 'login' },
      'consent once more': { ...usual, prompt: 'consent' },
      'prompt none beside another': { ...usual, prompt: 'none login' },
      'a session that is younger': { ...usual, max_age: '0' },
      'another redirect URI': { ...usual, redirect_uri: `${usual.redirect_uri}/more` },
      'the plain method': { ...usual, code_challenge_method: 'plain' },
      'a challenge that is none': { ...usual, code_challenge: 'short' },
      'a challenge without method': { ...withoutPkce, code_challenge: challenge },
      'another response type': { ...usual, response_type: 'id_token' },
      'an unknown client': { ...usual, client_id: 'nobody' },
      'a client of that name only in JavaScript': { ...usual, client_id: '__proto__' },
    }
    for (const [what, parameters] of Object.entries(asked)) expect(codeIn(await ask(idp, cookie, parameters)), what).toBeNull()
    const twice = `${new URLSearchParams(usual)}&redirect_uri=${encodeURIComponent('https://evil.example/callback')}`
    const repeated = await fetch(idp.url(`/oauth/v2/authorize?${twice}`), { redirect: 'manual', headers: { cookie } })
    expect(codeIn(repeated)).toBeNull()

    const unsigned = cookie.replace(/(dossier-session\.sig=)[^;]+/, '$1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA')
    expect(codeIn(await ask(idp, unsigned, usual)), 'a forged signature').toBeNull()
    expect(codeIn(await ask(idp, cookie.replace(/; dossier-session\.sig=[^;]+/, ''), usual)), 'no signature').toBeNull()

    const withoutCode = { ...application, requirePkce: true }
    await idp.domain.catalogue.commit({ putApplications: [withoutCode], events: [] })
    expect(codeIn(await ask(idp, cookie, withoutPkce)), 'no PKCE where it is demanded').toBeNull()
    await idp.domain.catalogue.commit({ putApplications: [{ ...application, active: false }], events: [] })
    expect(codeIn(await ask(idp, cookie, usual)), 'an application that is switched off').toBeNull()
    await idp.domain.catalogue.commit({ putApplications: [application], events: [] })
    expect(codeIn(await ask(idp, cookie, usual)), 'all is well again').not.toBeNull()

    await idp.domain.users.deactivate(idp.jane.id, { kind: 'system' })
    expect(codeIn(await ask(idp, cookie, usual)), 'a user who may not act').toBeNull()
    await idp.domain.users.reactivate(idp.jane.id, { kind: 'system' })
    expect(codeIn(await ask(idp, cookie, usual)), 'a session that has ended').toBeNull()
  })
})
