/** Registration, another password and the way back of those who go, as a browser without JavaScript meets them. */
import { expect, test } from 'vitest'
import { type Idp, password, startIdp } from '../../support/idp.ts'
import { linkIn, mailAt, openRegistration } from '../../support/mailbox.ts'
import { messagesIn } from '../../support/messages.ts'
import { tempDir } from '../../support/temp.ts'

const typed = { email: 'nora@acme.example', username: '', givenName: 'Nora', familyName: 'Newman', password }

async function start(settings: object = {}) {
  const mail = tempDir()
  const idp = await startIdp({ environment: { DOSSIER_MAIL_DIRECTORY: mail } })
  await openRegistration(idp, settings)
  return { ...idp, mail }
}

const authorize = (idp: Pick<Idp, 'web'>, more: Record<string, string> = {}) =>
  `/oauth/v2/authorize?${new URLSearchParams({
    response_type: 'code',
    client_id: idp.web.clientId,
    redirect_uri: idp.web.redirectUris[0] as string,
    scope: 'openid email',
    code_challenge: 'A'.repeat(43),
    code_challenge_method: 'S256',
    ...more,
  })}`

const headingOf = ({ text }: { readonly text: string }) => /<h1>(.*?)<\/h1>/.exec(text)?.[1]
const linkWithId = ({ text }: { readonly text: string }, id: string) => new RegExp(`id="${id}"[^>]*href="([^"]+)"`).exec(text)?.[1]

test('somebody comes from an application, registers, confirms, and is back at the application', async () => {
  await using idp = await start({
    registrationFields: [{ key: 'Contract', label: { en: 'Contract number' }, pattern: '[0-9]+', required: true }],
  })
  const browser = idp.browser()
  const signIn = await browser.open(authorize(idp))
  const form = await browser.open(linkWithId(signIn, 'register-link') ?? '')
  for (const id of ['username', 'email', 'given-name', 'family-name', 'password', 'submit'])
    expect(form.text).toContain(`id="register-${id}"`)
  expect(form.text).toContain('Contract number')
  const wrong = await browser.submit(form, '/register', { ...typed, email: 'nora', password: 'short', 'field:Contract': 'x' })
  expect(wrong.status).toBe(400)
  expect(wrong.text).toContain('Enter an e-mail address such as')
  expect(wrong.text).toContain('A password has 8 characters or more.')
  expect(wrong.text).toContain('value="nora"')
  expect(wrong.text).not.toContain('value="short"')
  const sent = await browser.submit(wrong, '/register', { ...typed, 'field:Contract': '42', 'field:Role': 'admin', admin: 'true' })
  expect([sent.status, headingOf(sent)]).toEqual([200, 'Check your mail'])
  const page = await browser.open(linkIn(await mailAt(idp.mail, 1)))
  // Whoever only looks confirms nothing.
  expect(await idp.domain.users.findByUsername(typed.email)).toBeUndefined()
  expect(page.text).not.toContain('type="password"')
  const back = await browser.submit(page, '/register/confirm')
  expect(back.url.href).toMatch(/^http:\/\/localhost:3000\/callback\?code=/)
  const user = await idp.domain.users.findByUsername(typed.email)
  expect(user).toMatchObject({
    admin: false,
    roles: {},
    profile: { givenName: 'Nora', email: typed.email, emailVerified: true, locale: 'en' },
  })
  const found = await idp.domain.users.findWithMetadata(user?.id as never)
  expect(found?.metadata.map(({ key }) => key)).toEqual(['Contract'])
  expect((await idp.domain.stores.audit.list({ kind: 'user', id: user?.id ?? '' }, { limit: 5 })).map(({ type }) => type)).toContain(
    'user.signed_in',
  )
  const log = idp.log.join('')
  for (const secret of [password, typed.email, new URL(linkIn(await mailAt(idp.mail, 1))).searchParams.get('link') ?? ''])
    expect(log).not.toContain(secret)
})

test('prompt=create leads to the form while people may register, and to the sign-in from there', async () => {
  await using idp = await start()
  const browser = idp.browser()
  const form = await browser.open(authorize(idp, { prompt: 'create', ui_locales: 'de' }))
  expect(headingOf(form)).toBe('Konto anlegen')
  const signIn = await browser.open((linkWithId(form, 'login-link') ?? '').replaceAll('&amp;', '&'))
  expect(headingOf(signIn)).toBe('Anmelden')
  expect(signIn.text).not.toContain('create-note')
  await openRegistration(idp, { registration: 'closed' })
  const closed = await browser.open(authorize(idp, { prompt: 'create' }))
  expect(closed.text).toContain('id="create-note"')
  expect(closed.text).not.toContain('id="register-link"')
  expect(closed.text).toContain('id="reset-link"')
  expect((await browser.open(`${closed.url.pathname}/register`)).status).toBe(403)
  expect((await browser.submit(form, '/register', typed)).status).toBe(403)
})

test('an address or a name that somebody has is answered by the same page, to the byte', async () => {
  await using idp = await start()
  await idp.domain.users.edit(idp.jane.id, { profile: { email: 'jane@acme.example', emailVerified: true } }, { kind: 'system' })
  const answers: string[] = []
  for (const form of [
    typed,
    { ...typed, email: 'jane@acme.example' },
    { ...typed, email: 'third@acme.example', username: idp.jane.username },
  ]) {
    const browser = idp.browser()
    const page = await browser.open(`${(await browser.open(authorize(idp))).url.pathname}/register`)
    const sent = await browser.submit(page, '/register', form)
    answers.push(`${sent.status} ${sent.text.replace(/\/interaction\/[\w-]+/g, '/interaction/uid')}`)
  }
  expect(new Set(answers).size).toBe(1)
  await mailAt(idp.mail, 3)
  expect(
    messagesIn(idp.mail)
      .filter((message) => message.includes('have an account'))
      .map((message) => /To: (.*)/.exec(message)?.[1]),
  ).toEqual(['jane@acme.example'])
})

test('in another browser the link wants the password, and another name where theirs is taken', async () => {
  await using idp = await start()
  const browser = idp.browser()
  const page = await browser.open(`${(await browser.open(authorize(idp))).url.pathname}/register`)
  await browser.submit(page, '/register', { ...typed, username: idp.jane.username })
  const link = linkIn(await mailAt(idp.mail, 1))
  const phone = idp.browser()
  const asked = await phone.open(link)
  expect(asked.text).toContain('type="password"')
  expect((await phone.submit(asked, '/register/confirm')).status).toBe(400)
  const refused = await phone.submit(asked, '/register/confirm', { password: 'a wrong password' })
  expect(refused.text).toContain('The password is wrong.')
  const taken = await phone.submit(refused, '/register/confirm', { password })
  expect([taken.status, taken.text.includes('This user name is taken')]).toEqual([409, true])
  const ready = await phone.submit(taken, '/register/confirm', { password, username: 'nora' })
  expect(headingOf(ready)).toBe('Your account is ready')
  expect(await idp.domain.users.findByUsername('nora')).toBeDefined()
  expect(headingOf(await phone.open(link))).toBe('This link no longer works')
})

test('a form from elsewhere is not taken', async () => {
  await using idp = await start()
  const [mine, theirs] = [idp.browser(), idp.browser()]
  const page = await mine.open(`${(await mine.open(authorize(idp))).url.pathname}/register`)
  const other = await theirs.open(`${(await theirs.open(authorize(idp))).url.pathname}/register`)
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
  expect((await theirs.submit(other, '/register', { ...typed, csrf })).status).toBe(403)
  expect((await theirs.open(page.url.pathname)).status).toBe(400)
  await mine.submit(page, '/register', typed)
  const link = linkIn(await mailAt(idp.mail, 1))
  const secret = new URL(link).searchParams.get('link') ?? ''
  for (const path of ['/register/confirm', '/reset', '/reset/password'])
    expect((await theirs.open(path, { link: secret, username: 'x', password, csrf })).status, path).toBe(403)
  expect(await idp.domain.users.findByUsername(typed.email)).toBeUndefined()
})

test('what is typed stays text', async () => {
  await using idp = await start({ registrationFields: [{ key: '"><script>', label: '<img src=x onerror=alert(1)>', required: true }] })
  const browser = idp.browser()
  const page = await browser.open(`${(await browser.open(authorize(idp))).url.pathname}/register`)
  const payload = '"><script>alert(1)</script>'
  const wrong = await browser.submit(page, '/register', {
    email: payload,
    username: payload,
    givenName: payload,
    familyName: payload,
    'field:"><script>': payload,
  })
  expect(wrong.status).toBe(400)
  for (const text of [page.text, wrong.text]) expect(text).not.toMatch(/<script>|<img src=x/)
  await browser.submit(wrong, '/register', { ...typed, username: '<b>nora</b>', 'field:"><script>': payload })
  const confirm = await browser.open(linkIn(await mailAt(idp.mail, 1)))
  expect(confirm.text).not.toMatch(/<script>|<b>/)
})

test('somebody who forgot the password sets another one and signs in where they were', async () => {
  await using idp = await start()
  const { username } = idp.jane
  await idp.domain.users.edit(idp.jane.id, { profile: { email: 'jane@acme.example', emailVerified: true } }, { kind: 'system' })
  const browser = idp.browser()
  const ask = await browser.open(linkWithId(await browser.open(authorize(idp)), 'reset-link') ?? '')
  const unknown = await browser.submit(ask, '/reset', { username: 'nobody' })
  const sent = await browser.submit(ask, '/reset', { username })
  expect(sent.text).toBe(unknown.text)
  const link = linkIn(await mailAt(idp.mail, 1))
  const page = await browser.open(link)
  expect((await browser.submit(page, '/reset/password', { password: 'short' })).text).toContain('A password has 8 characters or more.')
  const done = await browser.submit(page, '/reset/password', { password: 'another password' })
  expect(done.text).toContain('Your password was changed.')
  const back = await browser.submit(done, '/login', { username, password: 'another password' })
  expect(back.url.href).toMatch(/^http:\/\/localhost:3000\/callback\?code=/)
  expect((await browser.open(link)).status).toBe(400)
  expect(await mailAt(idp.mail, 2)).toContain('was changed')
})

test('another password can be asked for without an application, and set in another browser', async () => {
  await using idp = await start()
  await idp.domain.users.edit(idp.jane.id, { profile: { email: 'jane@acme.example', emailVerified: true } }, { kind: 'system' })
  const browser = idp.browser()
  expect((await browser.submit(await browser.open('/reset'), '/reset', { username: ' ' })).status).toBe(400)
  expect(headingOf(await browser.submit(await browser.open('/reset'), '/reset', { username: 'jane@acme.example' }))).toBe('Check your mail')
  const phone = idp.browser()
  const page = await phone.open(linkIn(await mailAt(idp.mail, 1)))
  expect(headingOf(await phone.submit(page, '/reset/password', { password: 'another password' }))).toBe('Your password was changed')
  expect((await phone.open('/reset/password?link=made-up')).status).toBe(400)
  expect((await phone.open('/register/confirm')).status).toBe(400)
})

test('whoever deletes their account is offered to keep it when they sign in', async () => {
  await using idp = await start()
  const { id, username } = idp.jane
  await idp.domain.users.leave(id, new Date(Date.now() + 86_400_000), { kind: 'user', id }, () => undefined)
  const browser = idp.browser()
  const signIn = await browser.open(authorize(idp))
  expect((await browser.submit(signIn, '/login', { username, password: 'a wrong password' })).text).not.toContain('keep-submit')
  const offer = await browser.submit(signIn, '/login', { username, password })
  expect(headingOf(offer)).toBe('This account will be deleted')
  expect((await idp.domain.users.get(id)).state).toBe('inactive')
  // The offer is for whoever has proved who they are, and works once.
  expect((await browser.submit(offer, '/keep', { offer: 'made up' })).status).toBe(400)
  const back = await browser.submit(offer, '/keep')
  expect(back.url.href).toMatch(/^http:\/\/localhost:3000\/callback\?code=/)
  expect((await idp.domain.users.get(id)).state).toBe('active')
})
