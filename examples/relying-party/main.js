/**
 * A small relying party on `openid-client`: open http://localhost:3000, sign in, see what arrived. The tokens are also printed as `export` lines, for
 * curl. It is the application `portal-web` of examples/demo.yaml.
 */
import { createServer } from 'node:http'
import * as client from 'openid-client'

const issuer = new URL(process.env.ISSUER ?? 'http://localhost:8080')
const port = Number(process.env.PORT ?? 3000)
const self = new URL(`http://localhost:${port}`)
const redirectUri = new URL('/callback', self).href
const scope = 'openid profile email offline_access urn:zitadel:iam:user:metadata urn:zitadel:iam:org:project:id:zitadel:aud'

const configuration = await client.discovery(
  issuer,
  process.env.CLIENT_ID ?? 'portal-web',
  {},
  client.ClientSecretBasic(process.env.CLIENT_SECRET ?? 'portal-web-secret-for-the-demo-only'),
  // Plain http is for this machine only.
  issuer.protocol === 'http:' ? { execute: [client.allowInsecureRequests] } : undefined,
)

/** What each browser has begun: its cookie names what must come back. */
const begun = new Map()

async function signIn(_request, response) {
  const id = client.randomState()
  const checks = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
  }
  begun.set(id, checks)
  const address = client.buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUri,
    scope,
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
  })
  response.writeHead(303, { Location: address.href, 'Set-Cookie': `rp=${id}; HttpOnly; SameSite=Lax; Path=/` }).end()
}

async function callback(request, response) {
  const id = /(?:^|; )rp=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? ''
  const checks = begun.get(id)
  if (!checks) return response.writeHead(400).end('This sign-in was not begun here. Go back to / and start again.')
  begun.delete(id)
  const tokens = await client.authorizationCodeGrant(configuration, new URL(request.url, self), checks)
  const userinfo = await client.fetchUserInfo(configuration, tokens.access_token, tokens.claims().sub)
  console.log(
    `export ACCESS_TOKEN=${tokens.access_token}\nexport ID_TOKEN=${tokens.id_token}\nexport REFRESH_TOKEN=${tokens.refresh_token}`,
  )
  const text = JSON.stringify({ userinfo, idToken: tokens.claims() }, null, 2).replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  const page = `<!doctype html><html lang="en"><title>Signed in</title><h1>Signed in</h1><pre>${text}</pre><p><a href="/">Again</a></p></html>`
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page)
}

const pages = { '/': signIn, '/callback': callback }

createServer((request, response) => {
  const page = pages[new URL(request.url, self).pathname]
  if (!page) return response.writeHead(404).end()
  page(request, response).catch((error) => {
    console.error(error)
    response.writeHead(500).end(`The sign-in failed: ${error.error ?? error.message}`)
  })
}).listen(port, 'localhost', () => console.error(`Open ${self.origin} in a browser.`))
