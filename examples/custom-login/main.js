/**
 * A sign-in page of an application's own, on ZITADEL's session and OIDC services: Dossier sends whoever wants to sign in for `own-page` of dossier.yaml here, and this
 * server answers with what it has found out. See README.md.
 */
import { createServer } from 'node:http'
import { Code } from '@connectrpc/connect'
import { createServerTransport } from '@zitadel/client/node'
import { createOIDCServiceClient, createSessionServiceClient } from '@zitadel/client/v2'
import { ErrorReason } from '@zitadel/proto/zitadel/oidc/v2/authorization_pb.js'

const port = Number(process.env.PORT ?? 3001)
const token = process.env.LOGIN_PAGE_TOKEN
if (!token) throw new Error('set LOGIN_PAGE_TOKEN to a personal access token of login-page (see README.md)')

const transport = createServerTransport(token, { baseUrl: process.env.ISSUER ?? 'http://localhost:8080' })
const requests = createOIDCServiceClient(transport)
const sessions = createSessionServiceClient(transport)

/** What is wrong with an attempt, in words for the person. Anything else is a fault of ours. */
const refusals = {
  [Code.NotFound]: 'User name or password is wrong.',
  [Code.InvalidArgument]: 'User name or password is wrong.',
  [Code.ResourceExhausted]: 'There were too many attempts. Wait a moment.',
  [Code.FailedPrecondition]: 'You cannot sign in with this account.',
}

async function show(response, authRequestId, { problem = '', username = '' } = {}) {
  const { authRequest } = await requests.getAuthRequest({ authRequestId })
  const name = username || authRequest.loginHint || ''
  page(
    response,
    problem ? 400 : 200,
    `<h1>Our own sign-in page</h1>
    ${problem && `<p role="alert">${escaped(problem)}</p>`}
    <form method="post">
      <input type="hidden" name="authRequest" value="${escaped(authRequestId)}">
      <label>User name <input name="username" value="${escaped(name)}" autocomplete="username" required></label>
      <label>Password <input name="password" type="password" autocomplete="current-password"></label>
      <button name="answer" value="sign-in">Sign in</button>
      <button name="answer" value="cancel" formnovalidate>Cancel</button>
    </form>`,
  )
}

async function answer(request, response) {
  const form = new URLSearchParams(Buffer.concat(await request.toArray()).toString())
  const authRequestId = form.get('authRequest') ?? ''
  const username = form.get('username') ?? ''
  try {
    const { callbackUrl } =
      form.get('answer') === 'cancel'
        ? await requests.createCallback({ authRequestId, callbackKind: { case: 'error', value: { error: ErrorReason.ACCESS_DENIED } } })
        : await requests.createCallback({
            authRequestId,
            callbackKind: { case: 'session', value: await signIn(request, username, form.get('password')) },
          })
    response.writeHead(303, { Location: callbackUrl }).end()
  } catch (error) {
    const problem = refusals[error.code]
    if (!problem) throw error
    await show(response, authRequestId, { problem, username })
  }
}

/** A session with both checked: the user, and their password. Dossier slows guessing down by account, and by the address that it is told. */
async function signIn(request, username, password) {
  const { sessionId, sessionToken } = await sessions.createSession({
    checks: { user: { search: { case: 'loginName', value: username } }, password: { password: password ?? '' } },
    userAgent: { ip: request.socket.remoteAddress, description: request.headers['user-agent'] },
  })
  return { sessionId, sessionToken }
}

function page(response, status, content) {
  const headers = { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'" }
  response
    .writeHead(status, headers)
    .end(`<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Sign in</title>${content}</html>`)
}

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

const server = createServer(async (request, response) => {
  try {
    const { pathname, searchParams } = new URL(request.url, `http://localhost:${port}`)
    if (pathname !== '/login') page(response, 404, '<h1>There is nothing here</h1>')
    else if (request.method === 'POST') await answer(request, response)
    else await show(response, searchParams.get('authRequest') ?? '')
  } catch (error) {
    const isGone = error.code === Code.NotFound
    if (!isGone) console.error(error)
    page(
      response,
      isGone ? 404 : 500,
      `<h1>${isGone ? 'This sign-in is over. Go back to the application and start again.' : 'Something went wrong'}</h1>`,
    )
  }
})
server.listen(port, () => console.log(`The sign-in page is at http://localhost:${port}/login`))
