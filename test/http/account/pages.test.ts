/** `/account` as a browser without JavaScript meets it: what people see and do of themselves, and what nobody does to others. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Browser, Page } from '../../support/browser.ts'
import { type Idp, password, startIdp } from '../../support/idp.ts'
import { linkIn, mailAt } from '../../support/mailbox.ts'
import { tempDir } from '../../support/temp.ts'

const system = { kind: 'system' } as const

async function start(settings: object = {}) {
  const mail = tempDir()
  const idp = await startIdp({ environment: { DOSSIER_MAIL_DIRECTORY: mail } })
  const { catalogue, users } = idp.domain
  await catalogue.commit({ settings: { ...(await catalogue.root()).settings, ...settings }, events: [] })
  await users.edit(idp.jane.id, { profile: { ...idp.jane.profile, email: 'jane@acme.example', emailVerified: true } }, system)
  return { ...idp, mail }
}

/** Opens a page of the account, signing in where that is asked. */
async function enter(browser: Browser, idp: Pick<Idp, 'jane'>, path = '/account', username = idp.jane.username): Promise<Page> {
  const page = await browser.open(path)
  return page.text.includes('id="login-submit"') ? browser.submit(page, '/login', { username, password }) : page
}

const textOf = ({ text }: Page) => text.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')

test('somebody sees what is known about them and changes it, and the pages speak their language', async () => {
  await using idp = await start({ selfManagedMetadata: ['prefs.*'] })
  const browser = idp.browser()
  const page = await enter(browser, idp)
  for (const text of [
    'Jane',
    'Doe',
    'jane@acme.example',
    'confirmed',
    '+41 44 000 00 00',
    'not confirmed',
    'Zurich',
    'reader',
    idp.jane.id,
  ])
    expect(textOf(page)).toContain(text)
  expect(page.text).toContain('<html lang="en">')
  const form = await browser.open('/account/profile')
  const wrong = await browser.submit(form, '/profile', { givenName: 'Jo', locale: '?' })
  expect([wrong.status, wrong.text.includes('Enter a language such as en')]).toEqual([400, true])
  const saved = await browser.submit(form, '/profile', {
    givenName: 'Jo',
    'address.country': 'CH',
    emailVerified: 'true',
    email: 'evil@acme.example',
    admin: 'true',
  })
  expect(textOf(saved)).toContain('Saved.')
  const user = await idp.domain.users.get(idp.jane.id)
  expect(user).toMatchObject({
    admin: false,
    profile: { givenName: 'Jo', familyName: 'Doe', email: 'jane@acme.example', address: { country: 'CH' } },
  })

  await browser.submit(await browser.open('/account/data/metadata'), '/data/metadata', { key: 'prefs.theme', value: '{"dark":true}' })
  const data = await browser.open('/account/data')
  for (const text of ['ContractNumber', '1234', 'number', 'prefs.theme', 'JSON']) expect(textOf(data)).toContain(text)
  const refused = await browser.submit(await browser.open('/account/data/metadata'), '/data/metadata', {
    key: 'ContractNumber',
    value: '1',
  })
  expect(refused.status).toBe(400)
  const edit = await browser.open('/account/data/metadata?key=prefs.theme')
  expect(textOf(await browser.submit(edit, '/metadata/remove'))).toContain('Removed.')
  expect(Buffer.from((await idp.domain.metadata.get(idp.jane.id, 'ContractNumber')).value).toString()).toBe('1234')
  const german = idp.browser()
  expect((await enter(german, idp, '/account?ui_locales=de')).text).toContain('Ihr Konto')
})

test('what an application may do is said in words, and revoked with its tokens', async () => {
  await using idp = await start()
  const browser = idp.browser()
  const asked = new URLSearchParams({
    response_type: 'code',
    client_id: idp.native.clientId,
    redirect_uri: idp.native.redirectUris[0] as string,
    scope: 'openid email urn:zitadel:iam:user:metadata offline_access',
    prompt: 'consent',
    code_challenge: 'A'.repeat(43),
    code_challenge_method: 'S256',
  })
  const consent = await enter(browser, idp, `/oauth/v2/authorize?${asked}`)
  await browser.submit(consent, '/consent')
  const page = await enter(browser, idp, '/account/access')
  for (const text of ['native', 'Your e-mail address', 'All metadata that is kept about you', 'Revoke the access of native'])
    expect(textOf(page)).toContain(text)
  expect(page.text).not.toContain('dossier-account')
  expect(await idp.domain.stores.artifacts.listByAccount('Grant', idp.jane.id)).toHaveLength(2)
  const after = await browser.submit(page, '/access/revoke')
  expect(textOf(after)).toContain('No application has access to anything.')
  expect(await idp.domain.stores.artifacts.listByAccount('Grant', idp.jane.id)).toHaveLength(1)
  expect((await idp.domain.stores.audit.list({ kind: 'user', id: idp.jane.id }, { limit: 5 })).map(({ type }) => type)).toContain(
    'user.access_revoked',
  )
  // It has to ask again.
  asked.delete('prompt')
  expect((await browser.open(`/oauth/v2/authorize?${asked}`)).text).toContain('consent-allow')
  expect((await browser.submit(page, '/access/revoke')).status).toBe(404)
})

test('somebody signs out other browsers, one or all, and this one stays', async () => {
  await using idp = await start()
  const [mine, second, third] = [idp.browser(), idp.browser(), idp.browser()]
  for (const browser of [second, third]) await enter(browser, idp)
  const page = await enter(mine, idp, '/account/sessions')
  expect(page.text.match(/id="end-\d+"/g)).toHaveLength(2)
  expect(textOf(page)).toContain('this browser')
  const after = await mine.submit(page, '/sessions/end')
  expect(after.text.match(/id="end-\d+"/g)).toHaveLength(1)
  const alone = await mine.submit(after, '/sessions/end-others')
  expect(textOf(alone)).toContain('You are signed in with no other browser.')
  expect((await second.open('/account')).text).toContain('login-submit')
  expect((await third.open('/account')).text).toContain('login-submit')
  expect((await mine.open('/account')).text).not.toContain('login-submit')
})

test('the page of sessions and the API of sessions are at one address', async () => {
  await using idp = await start()
  const { token } = await idp.domain.users.createToken(idp.jane.id, { name: 'cli' }, system)
  const ask = async (headers: Record<string, string>) => {
    const reply = await fetch(idp.url('/account/sessions'), { headers, redirect: 'manual' })
    return [reply.status, reply.headers.get('content-type')?.split(';')[0], reply.headers.get('vary')]
  }
  const authorization = `Bearer ${token}`
  expect(await ask({ authorization })).toEqual([200, 'application/json', expect.stringContaining('Accept')])
  expect(await ask({ authorization, accept: 'text/html' })).toEqual([200, 'application/json', expect.anything()])
  expect((await ask({}))[0]).toBe(401)
  expect((await ask({ accept: 'application/json' }))[0]).toBe(401)
  expect((await ask({ accept: 'text/html' }))[0]).toBe(303)
})

test('a password is changed by whoever knows it, and every browser is signed out', async () => {
  await using idp = await start()
  const browser = idp.browser()
  await enter(browser, idp)
  const form = await browser.open('/account/password')
  const wrong = await browser.submit(form, '/password', { current: 'a wrong password', password: 'another password' })
  expect([wrong.status, wrong.text.includes('The password is wrong.')]).toEqual([400, true])
  const done = await browser.submit(form, '/password', { current: password, password: 'another password' })
  expect(textOf(done)).toContain('Your password was changed')
  expect((await browser.open('/account')).text).toContain('login-submit')
  expect(await mailAt(idp.mail, 1)).toContain('Your password')
})

test('another address and another number count when they are proved', async () => {
  await using idp = await start()
  const browser = idp.browser()
  await enter(browser, idp)
  const sent = await browser.submit(await browser.open('/account/email'), '/account/email', { email: 'jane@new.example' })
  expect(textOf(sent)).toContain('jane@new.example')
  const link = linkIn(await mailAt(idp.mail, 1))
  const other = idp.browser()
  await idp.domain.users.create({ kind: 'human', username: 'other', password, profile: {} }, system)
  const theirs = await enter(other, idp, link, 'other')
  expect([theirs.status, textOf(theirs).includes('that of another account')]).toEqual([400, true])
  const changed = await browser.submit(await browser.open(link), '/email/confirm')
  expect(textOf(changed)).toContain('The e-mail address is confirmed.')
  expect(await mailAt(idp.mail, 2)).toContain('To: jane@acme.example')

  expect((await browser.submit(await browser.open('/account/phone'), '/account/phone', { phone: '044' })).status).toBe(400)
  const code = await browser.submit(await browser.open('/account/phone'), '/account/phone', { phone: '+41 44 123 45 67' })
  expect((await browser.submit(code, '/phone/code', { code: 'x' })).text).toContain('This code is wrong.')
  const digits = /\b\d{6}\b/.exec(await mailAt(idp.mail, 3))?.[0] ?? ''
  expect(textOf(await browser.submit(code, '/phone/code', { code: digits }))).toContain('The telephone number is confirmed.')
  expect((await idp.domain.users.get(idp.jane.id)).profile).toMatchObject({
    email: 'jane@new.example',
    emailVerified: true,
    phone: '+41441234567',
    phoneVerified: true,
  })
})

test('whoever has typed too many wrong codes is asked for the number again', async () => {
  await using idp = await start()
  const browser = idp.browser()
  await enter(browser, idp)
  let page = await browser.submit(await browser.open('/account/phone'), '/account/phone', { phone: '+41 44 123 45 67' })
  for (let n = 0; n < 5; n += 1) page = await browser.submit(page, '/phone/code', { code: 'x' })
  expect(textOf(page)).toContain('is on its way to +41441234567')
  const over = await browser.submit(page, '/phone/code', { code: 'x' })
  expect([over.status, textOf(over)]).toEqual([400, expect.stringContaining('The link or the code no longer works.')])
  expect(over.text).toContain('id="phone-submit"')
  expect(over.text).not.toContain('on its way')
})

test('a number is removed after a question that names it', async () => {
  await using idp = await start()
  const browser = idp.browser()
  await enter(browser, idp)
  expect((await browser.open('/account/phone')).text).toContain('href="/account/phone/remove"')
  const question = await browser.open('/account/phone/remove')
  expect(textOf(question)).toContain('+41 44 000 00 00 is removed from your account')
  expect((await idp.domain.users.get(idp.jane.id)).profile.phone).toBeDefined()
  expect(textOf(await browser.submit(question, '/phone/remove'))).toContain('Removed.')
  expect((await idp.domain.users.get(idp.jane.id)).profile.phone).toBeUndefined()
  expect((await browser.open('/account/phone/remove')).status).toBe(404)
  expect((await browser.open('/account/phone')).text).not.toContain('/account/phone/remove')
})

test('the program’s own applications are called as in the language of who reads of them', async () => {
  await using idp = await start()
  const browser = idp.browser()
  const signIn = await browser.open('/account?ui_locales=de')
  expect(textOf(signIn)).toContain('weiter zu Konto')
  await browser.submit(signIn, '/login', { username: idp.jane.username, password })
  expect(textOf(await browser.open('/account/sessions'))).toMatch(/Verwendet für Konto\b/)
  expect(textOf(await browser.open('/account/access'))).not.toContain('Account')
  const english = idp.browser()
  expect(textOf(await english.open('/console'))).toContain('to go on to Console')
})

const kilobytes60 = 60 * 1024

test('pages stay light however many keys somebody has, and the file has every one', async () => {
  await using idp = await start({ selfManagedMetadata: ['*'] })
  const browser = idp.browser()
  await enter(browser, idp)
  for (let n = 0; n < 990; n += 1) {
    const value = Buffer.from(n % 2 ? '"'.repeat(600) : `value ${n}`)
    await idp.domain.metadata.set(idp.jane.id, [{ key: `key-${String(n).padStart(3, '0')}`, value }], system)
  }
  for (const path of ['/account/data', '/account/export/print']) {
    const page = await browser.open(path)
    expect(Buffer.byteLength(page.text), path).toBeLessThan(kilobytes60)
    expect(page.text, path).toContain('key-000')
  }
  expect((await browser.open('/account/export/print')).text).toMatch(
    /id="more-metadata">\d+ more are in <a href="\/account\/export">the file<\/a>/,
  )
  expect(JSON.parse((await browser.open('/account/export')).text).metadata).toHaveLength(991)
})

test('a value that is refused does not come back whole, nor does one that is too long for a form', async () => {
  await using idp = await start({ selfManagedMetadata: ['*'] })
  const browser = idp.browser()
  await enter(browser, idp)
  for (const [key, value] of [
    ['note', 'x'.repeat(600_000)],
    ['k'.repeat(600_000), 'x'],
  ] as const) {
    const page = await browser.submit(await browser.open('/account/data/metadata'), '/data/metadata', { key, value })
    expect(page.status).toBe(400)
    expect(Buffer.byteLength(page.text)).toBeLessThan(kilobytes60)
  }
  await idp.domain.metadata.set(idp.jane.id, [{ key: 'note', value: Buffer.from('"'.repeat(24_000)) }], system)
  const edit = await browser.open('/account/data/metadata?key=note')
  expect(textOf(edit)).toContain('too long to be shown here. What you enter replaces it.')
  expect(Buffer.byteLength(edit.text)).toBeLessThan(kilobytes60)
})

test('everything comes as one file, without what proves somebody, and as a page', async () => {
  await using idp = await start()
  const browser = idp.browser()
  await enter(browser, idp)
  await idp.domain.metadata.set(idp.jane.id, [{ key: 'Logo', value: Buffer.from([0, 255]) }], system)
  const { text, headers } = await browser.open('/account/export')
  expect(headers.get('content-disposition')).toBe('attachment; filename="account.json"')
  const everything = JSON.parse(text)
  expect(everything).toMatchObject({
    user: { id: idp.jane.id, username: idp.jane.username },
    profile: { givenName: 'Jane' },
    roles: [{ project: 'Portal', roles: ['reader'] }],
    metadata: [
      { key: 'ContractNumber', value: '1234' },
      { key: 'Logo', value: { base64: 'AP8=' } },
    ],
    sessions: [{ clientIds: ['dossier-account'] }],
  })
  expect(everything.events.map(({ type }: { type: string }) => type)).toEqual(expect.arrayContaining(['user.created', 'user.signed_in']))
  expect(text).not.toMatch(/\$argon2|passwordHash|Hash"/)
  const page = await browser.open('/account/export/print')
  for (const part of ['Everything about you', 'ContractNumber', 'Bytes that are no text']) expect(textOf(page)).toContain(part)
})

test('an account is deleted after its name was typed, and can be kept by signing in', async () => {
  await using idp = await start()
  const browser = idp.browser()
  await enter(browser, idp)
  const question = await browser.open('/account/delete')
  expect((await browser.submit(question, '/account/delete', { typed: 'somebody' })).status).toBe(400)
  const gone = await browser.submit(question, '/account/delete', { typed: idp.jane.username })
  expect(textOf(gone)).toContain('Your account will be deleted')
  expect((await idp.domain.users.get(idp.jane.id)).state).toBe('inactive')
  expect(await mailAt(idp.mail, 1)).toContain('will be deleted')
  const offer = await enter(browser, idp)
  const back = await browser.submit(offer, '/keep')
  expect(textOf(back)).toContain('Your account')
  expect((await idp.domain.users.get(idp.jane.id)).state).toBe('active')
})

test('an administrator does not delete their own account', async () => {
  await using idp = await start()
  await idp.domain.users.edit(idp.jane.id, { admin: true }, system)
  const browser = idp.browser()
  await enter(browser, idp)
  const refused = await browser.submit(await browser.open('/account/delete'), '/account/delete', { typed: idp.jane.username })
  expect([refused.status, textOf(refused).includes('another administrator has to')]).toEqual([400, true])
})

test('the last way in stays', async () => {
  await using idp = await start()
  const identity = (id: string) => ({
    app: 'a',
    provider: 'oauth2-google',
    key: id,
    id,
    data: { email: '<b>x</b>' },
    createdAt: '2027-01-01T00:00:00Z',
    usedAt: '',
  })
  await idp.domain.users.addIdentity(idp.jane.id, identity('one'), system)
  const browser = idp.browser()
  const page = await enter(browser, idp, '/account/sign-in')
  expect(textOf(page)).toContain('Stop signing in with oauth2-google')
  expect(textOf(await browser.submit(page, '/sign-in/unlink'))).toContain('No other service signs you in.')
  expect((await browser.submit(page, '/sign-in/unlink')).status).toBe(404)
})

test('nobody reaches what is somebody else’s, by whatever id is in a form', async () => {
  await using idp = await start({ selfManagedMetadata: ['*'] })
  const { users, stores } = idp.domain
  const other = await users.create(
    { kind: 'human', username: 'other', password, profile: { email: 'o@acme.example', emailVerified: true } },
    system,
  )
  const theirs = idp.browser()
  await enter(theirs, idp, '/account', 'other')
  const [session] = await stores.artifacts.listByAccount('Session', other.id)
  const browser = idp.browser()
  await enter(browser, idp)
  // A second browser of Jane's, so that there is a form to end one.
  await enter(idp.browser(), idp)
  const sessions = await browser.open('/account/sessions')
  expect((await browser.submit(sessions, '/sessions/end', { id: String(session?.payload.uid) })).status).toBe(404)
  expect((await browser.submit(sessions, '/sessions/end', { app: 'a', id: String(session?.payload.uid) })).status).toBe(404)
  await browser.submit(await browser.open('/account/profile'), '/profile', { givenName: 'X', id: other.id, userId: other.id })
  await browser.submit(await browser.open('/account/data/metadata'), '/data/metadata', { key: 'k', value: 'v', userId: other.id })
  await idp.domain.users.addIdentity(
    other.id,
    { app: 'a', provider: 'p', key: 'k', id: 'theirs', data: {}, createdAt: '2027-01-01T00:00:00Z', usedAt: '' },
    system,
  )
  expect(await users.findWithMetadata(other.id)).toMatchObject({
    user: { profile: { email: 'o@acme.example' }, identities: [{ id: 'theirs' }] },
    metadata: [],
  })
  expect((await theirs.open('/account')).text).not.toContain('login-submit')
})

const forms: readonly (readonly [path: string, fields: Record<string, string>])[] = [
  ['/account/profile', { givenName: 'Evil' }],
  ['/account/email', { email: 'evil@evil.example' }],
  ['/account/email/confirm', { link: 'x' }],
  ['/account/phone', { phone: '+41441234567' }],
  ['/account/phone/code', { code: '000000' }],
  ['/account/phone/remove', {}],
  ['/account/data/metadata', { key: 'k', value: 'v' }],
  ['/account/data/metadata/remove', { key: 'ContractNumber' }],
  ['/account/access/revoke', { clientId: 'x' }],
  ['/account/sessions/end', { id: 'x' }],
  ['/account/sessions/end-others', {}],
  ['/account/sign-in/unlink', {}],
  ['/account/sign-in/password-link', {}],
  ['/account/password', { current: password, password: 'an evil password' }],
  ['/account/delete', { typed: 'x' }],
]

test('no form is taken without its token, with that of another browser, or without a session', async () => {
  await using idp = await start({ selfManagedMetadata: ['*'] })
  const [browser, other] = [idp.browser(), idp.browser()]
  await enter(browser, idp)
  const csrf = /name="csrf" value="([^"]+)"/.exec((await enter(other, idp)).text)?.[1] ?? ''
  const before = JSON.stringify(await idp.domain.users.findWithMetadata(idp.jane.id))
  for (const [path, fields] of forms) {
    expect((await browser.open(path, fields)).status, path).toBe(403)
    expect((await browser.open(path, { ...fields, csrf })).status, path).toBe(403)
    expect((await idp.browser().open(path, { ...fields, csrf })).status, path).toBe(401)
  }
  expect(JSON.stringify(await idp.domain.users.findWithMetadata(idp.jane.id))).toBe(before)
})

/** Tags that no page of the account has, attributes that run something, and addresses that lead anywhere but to pages and pictures. */
function dangersIn(html: string): readonly string[] {
  const known =
    /^(?:!doctype|\/?(?:html|head|meta|title|link|script|body|a|header|img|span|small|div|form|input|button|nav|ul|ol|li|main|p|h[123]|dl|dt|dd|time|code|pre|table|thead|tbody|tr|th|td|fieldset|legend|label|textarea|footer|strong))\b/i
  return [...html.matchAll(/<[a-z!/][^>]*>/gi)]
    .map(([tag]) => tag)
    .filter((tag) => {
      const bare = tag.replace(/"[^"]*"/g, '""')
      const address = /\s(?:href|src|action)="([^"]*)"/.exec(tag)?.[1]
      const isOurs = address === undefined || /^(?:\/(?!\/)|#|data:image\/)/.test(address)
      return !known.test(tag.slice(1)) || /\son\w+\s*=|\sstyle\s*=|srcdoc|http-equiv/i.test(bare) || !isOurs
    })
}

/** What makes a script of a page that does not look. */
const payloads = readFileSync(new URL('../../support/payloads.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter(Boolean)

test('forty payloads stay text on every page of the account', async () => {
  await using idp = await start({ selfManagedMetadata: ['*'] })
  expect(payloads.length).toBeGreaterThanOrEqual(40)
  const { users, catalogue, metadata } = idp.domain
  const browser = idp.browser()
  await enter(browser, idp)
  for (const payload of payloads) {
    const profile = { displayName: payload, givenName: payload, nickName: payload, gender: payload, address: { formatted: payload } }
    await users.edit(idp.jane.id, { profile: { ...profile, email: 'jane@acme.example', emailVerified: true } }, system)
  }
  await metadata.set(
    idp.jane.id,
    payloads.map((payload, index) => ({ key: `${index} ${payload}`.slice(0, 200), value: Buffer.from(payload) })),
    system,
  )
  const [last = ''] = payloads.slice(-1)
  await users.addIdentity(
    idp.jane.id,
    {
      app: last,
      provider: last,
      key: 'k',
      id: last,
      data: Object.fromEntries(payloads.map((payload) => [payload, payload])),
      createdAt: '2027-01-01T00:00:00Z',
      usedAt: '',
    },
    system,
  )
  await catalogue.commit({ putApplications: [{ ...idp.web, name: last }], events: [] })
  await idp.domain.stores.artifacts.put({
    model: 'Session',
    id: 'made',
    payload: {
      jti: 'made',
      uid: last,
      accountId: idp.jane.id,
      exp: 9e9,
      loginTs: 1,
      agent: last,
      authorizations: { [idp.web.clientId]: {}, [last]: {} },
    },
    uid: last,
    accountId: idp.jane.id,
  })
  await idp.domain.stores.artifacts.put({
    model: 'Grant',
    id: 'made',
    payload: { jti: 'made', clientId: last, accountId: idp.jane.id, openid: { scope: last, claims: payloads } },
    accountId: idp.jane.id,
  })
  for (const path of [
    '',
    '/profile',
    '/data',
    '/access',
    '/sessions',
    '/sign-in',
    '/export/print',
    '/delete',
    `/data/metadata?key=${encodeURIComponent(`0 ${payloads[0]}`)}`,
    `?done=${encodeURIComponent(last)}`,
  ]) {
    const page = await browser.open(`/account${path}`)
    expect(page.status, path).toBe(200)
    for (const payload of payloads.filter((each) => /[<>"'&]/.test(each)))
      expect(page.text.includes(payload), `${path} ${payload}`).toBe(false)
    expect(dangersIn(page.text), path).toEqual([])
  }
})
