/** Confirmation and reset by mail, into a folder, and by functions. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as Realm from 'realm-web'
import { expect, test } from 'vitest'
import { tempDir } from '../../support/temp.ts'
import { functionFiles, providersFile, startPlace } from './place.ts'

const { Credentials } = Realm
const password = 'a test password'
const errorOf = (call: Promise<unknown>) =>
  call.then(
    () => 'no error',
    (error: Realm.MongoDBRealmError) => [error.statusCode, error.errorCode, error.error],
  )

/** The messages in a folder, oldest first, without soft line ends. */
const messagesIn = (directory: string) =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.eml'))
    .toSorted()
    .map((name) =>
      readFileSync(join(directory, name), 'utf8')
        .replace(/=\r?\n/g, '')
        .replaceAll('=3D', '='),
    )

function tokensIn(message: string) {
  const link = new URL(/https:\/\/app\.example\/\S+?(?=["\s])/.exec(message)?.[0].replaceAll('&amp;', '&') ?? '')
  return { path: link.pathname, token: link.searchParams.get('token') ?? '', tokenId: link.searchParams.get('tokenId') ?? '' }
}

test('an address is confirmed by its link, once, and a password reset by another', async () => {
  const directory = tempDir()
  await using place = await startPlace(
    providersFile({
      'local-userpass': {
        config: {
          emailConfirmationUrl: 'https://app.example/confirm',
          resetPasswordUrl: 'https://app.example/reset',
          confirmEmailSubject: 'Welcome\r\nBcc: evil@evil.example',
        },
      },
    }),
    { environment: { DOSSIER_MAIL_DIRECTORY: directory } },
  )
  const { emailPasswordAuth, logIn } = bound(place.client())
  const email = 'jane@app.example'
  await emailPasswordAuth.registerUser({ email, password })
  expect(await errorOf(logIn(Credentials.emailPassword(email, password)))).toEqual([401, 'AuthError', 'confirmation required'])
  expect(await errorOf(emailPasswordAuth.registerUser({ email, password }))).toMatchObject([409, 'AccountNameInUse', expect.anything()])
  const [first = ''] = messagesIn(directory)
  expect(first).toContain('To: jane@app.example')
  expect(first).not.toMatch(/^Bcc:/m)
  await emailPasswordAuth.resendConfirmationEmail({ email })
  const [, second = ''] = messagesIn(directory)
  const stale = tokensIn(first)
  expect(await errorOf(emailPasswordAuth.confirmUser(stale))).toMatchObject([400, 'UserpassTokenInvalid', expect.anything()])
  const { token, tokenId } = tokensIn(second)
  expect(await errorOf(emailPasswordAuth.confirmUser({ token: 'wrong', tokenId }))).toMatchObject([
    400,
    'UserpassTokenInvalid',
    expect.anything(),
  ])
  expect(await errorOf(emailPasswordAuth.confirmUser({ token, tokenId: 'wrong' }))).toEqual([400, 'BadRequest', 'invalid token data'])
  await emailPasswordAuth.confirmUser({ token, tokenId })
  expect(await errorOf(emailPasswordAuth.confirmUser({ token, tokenId }))).toMatchObject([400, 'UserpassTokenInvalid', expect.anything()])
  expect(await errorOf(emailPasswordAuth.resendConfirmationEmail({ email }))).toEqual([400, 'UserAlreadyConfirmed', 'already confirmed'])
  // Forgotten before the first login already: the password is that of the registration.
  await emailPasswordAuth.sendResetPasswordEmail({ email })
  await emailPasswordAuth.resetPassword({ ...tokensIn(messagesIn(directory).at(-1) ?? ''), password: 'the first password' })
  expect(await errorOf(logIn(Credentials.emailPassword(email, password)))).toMatchObject([401, 'InvalidPassword', expect.anything()])
  // A link from before the first login is good after it.
  await emailPasswordAuth.sendResetPasswordEmail({ email })
  const early = tokensIn(messagesIn(directory).at(-1) ?? '')
  await logIn(Credentials.emailPassword(email, 'the first password'))
  await emailPasswordAuth.resetPassword({ ...early, password: 'the second password' })
  const user = await logIn(Credentials.emailPassword(email, 'the second password'))
  const { refreshToken } = user
  expect(await place.domain.users.get(user.id as never)).toMatchObject({ profile: { email, emailVerified: true } })

  expect(await errorOf(emailPasswordAuth.sendResetPasswordEmail({ email: 'nobody@app.example' }))).toEqual([
    404,
    'UserNotFound',
    'user not found',
  ])
  await emailPasswordAuth.sendResetPasswordEmail({ email })
  const reset = tokensIn(messagesIn(directory).at(-1) ?? '')
  expect(reset.path).toBe('/reset')
  await emailPasswordAuth.resetPassword({ ...reset, password: 'another password' })
  expect(await errorOf(emailPasswordAuth.resetPassword({ ...reset, password: 'a third password' }))).toMatchObject([
    400,
    'UserpassTokenInvalid',
    expect.anything(),
  ])
  expect(await errorOf(logIn(Credentials.emailPassword(email, password)))).toMatchObject([401, 'InvalidPassword', expect.anything()])
  expect((await logIn(Credentials.emailPassword(email, 'another password'))).id).toBe(user.id)
  expect((await place.call('POST', '/auth/session', { token: refreshToken })).status).toBe(401)
  const told = place.log.join('')
  for (const secret of [token, reset.token, password, 'another password']) expect(told).not.toContain(secret)
})

test('functions confirm and reset', async () => {
  await using place = await startPlace({
    ...providersFile({
      'local-userpass': {
        config: { runConfirmationFunction: true, confirmationFunctionName: 'confirm', runResetFunction: true, resetFunctionName: 'reset' },
      },
    }),
    ...functionFiles({
      confirm: 'exports = ({ token, tokenId, username }) => ({ status: username.split("@")[0] })',
      reset:
        'exports = ({ username, password, currentPasswordValid }, answer, more) => ({ status: answer === "blue" && more.n === 1 && !currentPasswordValid ? "success" : "fail" })',
    }),
  })
  const { emailPasswordAuth, logIn } = bound(place.client())
  await emailPasswordAuth.registerUser({ email: 'success@app.example', password })
  expect((await logIn(Credentials.emailPassword('success@app.example', password))).id).toMatch(/^[0-9a-f]{24}$/)
  await emailPasswordAuth.registerUser({ email: 'pending@app.example', password })
  expect(await errorOf(logIn(Credentials.emailPassword('pending@app.example', password)))).toMatchObject([
    401,
    'AuthError',
    'confirmation required',
  ])
  await emailPasswordAuth.retryCustomConfirmation({ email: 'pending@app.example' })
  const fail = { email: 'fail@app.example', password }
  expect(await errorOf(emailPasswordAuth.registerUser(fail))).toEqual([400, 'BadRequest', 'failed to confirm user "fail@app.example"'])
  expect(await errorOf(emailPasswordAuth.registerUser(fail))).toEqual([400, 'BadRequest', 'failed to confirm user "fail@app.example"'])
  const details = { email: 'success@app.example', password: 'another password' }
  expect(await errorOf(emailPasswordAuth.callResetPasswordFunction(details, 'red', { n: 1 }))).toMatchObject([
    400,
    'BadRequest',
    expect.anything(),
  ])
  await emailPasswordAuth.callResetPasswordFunction(details, 'blue', { n: 1 })
  await logIn(Credentials.emailPassword('success@app.example', 'another password'))
})

/** Methods that are taken out of their object. */
function bound(app: Realm.App) {
  return { emailPasswordAuth: app.emailPasswordAuth, logIn: (credentials: Realm.Credentials) => app.logIn(credentials) }
}
