/** What users prove with who they are, where they are signed in, and what happened: as a browser without scripts sees and ends it. */
import { createPrivateKey } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { User } from '#src/domain/users/user.ts'
import { Browser } from '../../support/browser.ts'
import { consoleBrowser, newManager } from '../../support/consolePeople.ts'
import { doneOf, faultOf, problemOf } from '../../support/forms.ts'
import { type Idp, person, startIdp } from '../../support/idp.ts'
import { linkIn } from '../../support/mailbox.ts'
import { messagesIn } from '../../support/messages.ts'
import { signIn } from '../../support/relyingParty.ts'
import { tempDir } from '../../support/temp.ts'

const system = { kind: 'system' } as const
const mail = tempDir()

let idp: Idp
let browser: Browser
let robot: User
beforeAll(async () => {
  idp = await startIdp({ environment: { DOSSIER_MAIL_DIRECTORY: mail } })
  browser = await consoleBrowser(idp, await newManager(idp, 'IAM_OWNER'))
})
beforeEach(async () => {
  robot = await idp.domain.users.create({ kind: 'machine', username: `robot-${Math.random()}`, profile: { displayName: 'Robot' } }, system)
})
afterAll(() => idp[Symbol.asyncDispose]())

const path = (below = '') => `/console/users/${robot.id}/credentials${below}`
const secretIn = ({ text }: { readonly text: string }, index = 0) =>
  new RegExp(`id="secret-${index}">([^<]*)<`).exec(text)?.[1]?.replaceAll('&quot;', '"') ?? expect.unreachable()
/** The address of a link of a page that ends so. */
const hrefIn = ({ text }: { readonly text: string }, end: string) =>
  [...text.matchAll(/href="([^"]*)"/g)].map(([, href = '']) => href).find((href) => href.endsWith(end)) ?? expect.unreachable()
const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)

test('a token is told once, ends when it shall, and stops working when it is revoked', async () => {
  const page = await browser.open(path('/token'))
  expect(faultOf(await browser.submit(page, '/token', { name: '' }), 'name')).toMatch(/1 to 200/)
  const past = await browser.submit(page, '/token', { name: 'backup', expires: '2020-01-01' })
  expect(faultOf(past, 'expires')).toMatch(/not over/)
  expect(past.text).toContain('value="backup"')
  expect(faultOf(await browser.submit(page, '/token', { name: 'backup', expires: 'someday' }), 'expires')).toBeDefined()
  const made = await browser.submit(page, '/token', { name: 'backup', expires: tomorrow() })
  expect(made.text).toContain('This is shown once')
  const token = secretIn(made)
  expect((await idp.domain.users.findByToken(token))?.id).toBe(robot.id)
  const list = await browser.open(path())
  expect(list.text).toContain('backup')
  expect(list.text).not.toContain(token)
  const { id } = (await idp.domain.users.listTokens(robot.id))[0] ?? expect.unreachable()
  const question = await browser.open(hrefIn(list, `/token/${id}/revoke`))
  expect(question.text).toContain('Revoke the token “backup”?')
  expect(await idp.domain.users.findByToken(token)).toBeDefined()
  expect(doneOf(await browser.submit(question, '/revoke'))).toBe('Removed.')
  expect(await idp.domain.users.findByToken(token)).toBeUndefined()
  expect((await browser.submit(question, '/revoke')).status).toBe(409)
  expect((await browser.open(question.url)).status).toBe(404)
})

test('a key file is told once, and is there to be saved without a script', async () => {
  const made = await browser.submit(await browser.open(path('/key')), '/key', { expires: tomorrow() })
  const file = JSON.parse(secretIn(made))
  expect(file).toMatchObject({ type: 'serviceaccount', userId: robot.id })
  expect(createPrivateKey(file.key).asymmetricKeyType).toBe('rsa')
  const saved = /download="([^"]*)" href="data:application\/octet-stream;base64,([^"]*)"/.exec(made.text)
  expect(saved?.[1]).toBe(`${file.keyId}.json`)
  expect(JSON.parse(Buffer.from(saved?.[2] ?? '', 'base64').toString())).toEqual(file)
  const list = await browser.open(path())
  expect(list.text).toContain(file.keyId)
  expect(list.text).not.toContain('PRIVATE KEY')
  const question = await browser.open(hrefIn(list, `/key/${file.keyId}/remove`))
  expect(question.text).toContain(`Remove the key ${file.keyId}?`)
  expect(doneOf(await browser.submit(question, '/remove'))).toBe('Removed.')
  expect((await idp.domain.users.get(robot.id)).machineKeys).toEqual([])
})

test('a client secret is made, replaced and removed', async () => {
  const ask = () => browser.open(path('/secret'))
  const first = await browser.submit(await ask(), '/credentials/secret')
  expect(secretIn(first, 0)).toBe(robot.username)
  const tokenWith = (secret: string) =>
    fetch(idp.url('/oauth/v2/token'), {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${robot.username}:${secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'openid' }),
    }).then(({ status }) => status)
  expect(await tokenWith(secretIn(first, 1))).toBe(200)
  const question = await ask()
  expect(question.text).toContain('The one until now stops working at once.')
  const second = await browser.submit(question, '/credentials/secret')
  expect(await tokenWith(secretIn(first, 1))).toBe(401)
  expect(await tokenWith(secretIn(second, 1))).toBe(200)
  const last = await browser.open(hrefIn(await browser.open(path()), '/secret/remove'))
  expect(last.text).toContain(`Remove the client secret of ${robot.username}?`)
  expect(await tokenWith(secretIn(second, 1))).toBe(200)
  expect(doneOf(await browser.submit(last, '/secret/remove'))).toBe('Removed.')
  expect(await tokenWith(secretIn(second, 1))).toBe(401)
})

test('a person gets no key, secret or token from here, as by the API', async () => {
  for (const below of ['/token', '/key', '/secret']) {
    expect((await browser.open(`/console/users/${idp.jane.id}/credentials${below}`)).status).toBe(404)
  }
})

test('sessions are listed with their applications, and ended one by one or all', async () => {
  const user = await idp.domain.users.create(person(), system)
  const theirs = [new Browser(idp.issuer), new Browser(idp.issuer), new Browser(idp.issuer)]
  for (const each of theirs) await signIn(idp, { browser: each, username: user.username })
  const page = await browser.open(`/console/users/${user.id}/sessions`)
  const ids = [...(page.text.split('Applications with access')[0] ?? '').matchAll(/name="id" value="([^"]*)"/g)].map(([, id = '']) => id)
  expect(ids).toHaveLength(3)
  expect(page.text).toContain('>web<')
  expect(doneOf(await browser.submit(page, '/sessions/end', { id: ids[0] ?? '' }))).toBe('The session was ended.')
  expect(problemOf(await browser.submit(page, '/sessions/end', { id: ids[0] ?? '' }))).toBe('This session has ended already.')
  const question = await browser.open(hrefIn(page, '/sessions/end-all'))
  expect(question.text).toContain('signed out of 2 browsers')
  const after = await browser.submit(question, '/sessions/end-all')
  expect(doneOf(after)).toBe('All sessions were ended.')
  expect(after.text).toContain('not signed in anywhere')
})

test('access that was given to an application is listed in words, and revoked', async () => {
  const user = await idp.domain.users.create(person(), system)
  await signIn(idp, { username: user.username, application: idp.native, scope: 'openid email offline_access' })
  const page = await browser.open(`/console/users/${user.id}/sessions`)
  expect(page.text).toContain('Your e-mail address')
  expect(doneOf(await browser.submit(page, '/sessions/revoke', { id: idp.native.clientId }))).toMatch(/no access any more/)
  expect((await browser.open(`/console/users/${user.id}/sessions`)).text).toContain('No application has access.')
})

test('identities are shown with what their providers told, and removed', async () => {
  const at = new Date().toISOString()
  const data = { name: 'Jane', address: { city: 'Zurich' }, tags: ['a', 'b'] }
  const identity = { app: 'x', provider: 'oauth2-google', key: 'secret-key', id: 'g/1?', data, createdAt: at, usedAt: at }
  const user = await idp.domain.users.create({ ...person(), password: undefined, identities: [identity] }, system)
  const page = await browser.open(`/console/users/${user.id}/identities`)
  expect(page.text).toMatch(/address\.city<\/dt><dd>Zurich[\s\S]*tags 2<\/dt><dd>b/)
  expect(page.text).not.toContain('secret-key')
  const remove = /href="([^"]*\/identities\/[^"]*\/remove)"/.exec(page.text)?.[1] ?? expect.unreachable()
  expect(doneOf(await browser.submit(await browser.open(remove), remove))).toBe('Removed.')
  expect((await idp.domain.users.get(user.id)).identities).toEqual([])
  expect((await browser.open(remove)).status).toBe(404)
})

test('a link to a new password goes to the proven address, and to no other', async () => {
  const user = await idp.domain.users.create(
    { ...person(), profile: { displayName: 'Link', email: 'link@acme.example', emailVerified: true } },
    system,
  )
  const page = await browser.open(`/console/users/${user.id}/password`)
  expect(doneOf(await browser.submit(page, '/password/link'))).toBe('The link was sent.')
  const [message = ''] = messagesIn(mail)
  expect(message).toContain('link@acme.example')
  const form = await new Browser(idp.issuer).open(linkIn(message))
  expect(form.status).toBe(200)
  const unproven = await idp.domain.users.create({ ...person(), profile: { email: 'unproven@acme.example' } }, system)
  const other = await browser.open(`/console/users/${unproven.id}/password`)
  expect(other.text).not.toContain('/password/link')
  const csrf = /name="csrf" value="([^"]*)"/.exec(other.text)?.[1] ?? ''
  expect((await browser.open(`/console/users/${unproven.id}/password/link`, { csrf })).status).toBe(404)
  await idp.domain.users.lock(user.id, system)
  expect(problemOf(await browser.submit(page, '/password/link'))).toMatch(/No link was sent/)
  expect(messagesIn(mail)).toHaveLength(1)
})

test('the history says who did what and when, the newest first, page by page', async () => {
  const user = await idp.domain.users.create({ ...person(), metadata: [] }, { kind: 'cli', name: 'root' })
  await signIn(idp, { username: user.username })
  const page = await browser.open(`/console/users/${user.id}`)
  await browser.submit(page, '/state', { move: 'lock' })
  const words = ({ text }: { readonly text: string }) => [...text.matchAll(/<span>([^<]*) <small>/g)].map(([, what = '']) => what)
  const first = await browser.open(`/console/users/${user.id}/history`)
  expect(words(first)[0]).toBe('Locked')
  expect(first.text).toContain('Manager IAM_OWNER')
  expect(words(first).at(-1)).toBe(`Created as ${user.username}`)
  expect(first.text).toContain('root, at the command line')
  expect(words(first)).toContainEqual(expect.stringMatching(/^Signed in from .*, to web$/))
  for (let index = 0; index < 60; index += 1) {
    await idp.domain.users.edit(user.id, { profile: (current) => ({ ...current, nickName: `N${index}` }) }, system)
  }
  const long = await browser.open(`/console/users/${user.id}/history`)
  const next = /rel="next" href="([^"]*)"/.exec(long.text)?.[1] ?? expect.unreachable()
  expect([...words(long), ...words(await browser.open(next))].slice(0, 62)).toEqual([
    ...Array.from({ length: 60 }, () => 'Changed: profile'),
    'Locked',
    expect.any(String),
  ])
})
