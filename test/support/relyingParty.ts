/** A relying party on `openid-client`, as our users write one. */
import * as client from 'openid-client'
import type { Application } from '#src/domain/applications/application.ts'
import type { Browser } from './browser.ts'
import { type Idp, password } from './idp.ts'

export const metadataScope = 'urn:zitadel:iam:user:metadata'
export const zitadelAudience = 'urn:zitadel:iam:org:project:id:zitadel:aud'

/** Discovers the provider for one application. */
export function relyingParty(idp: Idp, application: Application, secret = idp.secret): Promise<client.Configuration> {
  const authentication = application.authMethod === 'none' ? client.None() : client.ClientSecretBasic(secret)
  return client.discovery(new URL(idp.issuer), application.clientId, {}, authentication, { execute: [client.allowInsecureRequests] })
}

export interface SignInOptions {
  readonly application?: Application
  readonly browser?: Browser
  readonly username?: string
  readonly scope?: string
  readonly parameters?: Readonly<Record<string, string>>
  readonly secret?: string
}

/** Signs Jane in at an application, consenting where asked, and exchanges the code. */
export async function signIn(idp: Idp, options: SignInOptions = {}) {
  const { application = idp.web, browser = idp.browser(), username = idp.jane.username } = options
  const configuration = await relyingParty(idp, application, options.secret)
  const { callback, codeVerifier, nonce, state } = await authorize(idp, configuration, { ...options, application, browser, username })
  const tokens = await client.authorizationCodeGrant(configuration, callback, {
    pkceCodeVerifier: codeVerifier,
    expectedNonce: nonce,
    expectedState: state,
  })
  return { configuration, browser, tokens, callback, codeVerifier }
}

/** Walks through the pages until the redirect back, and answers its address with what the exchange needs. */
export async function authorize(
  idp: Idp,
  configuration: client.Configuration,
  { application = idp.web, browser = idp.browser(), username = idp.jane.username, scope = 'openid', parameters = {} }: SignInOptions,
) {
  const codeVerifier = client.randomPKCECodeVerifier()
  const nonce = client.randomNonce()
  const state = client.randomState()
  const address = client.buildAuthorizationUrl(configuration, {
    redirect_uri: application.redirectUris[0] as string,
    scope,
    nonce,
    state,
    code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    ...parameters,
  })
  let page = await browser.open(address)
  if (page.text.includes('id="login-submit"')) page = await browser.submit(page, '/login', { username, password })
  if (page.text.includes('id="consent-allow"')) page = await browser.submit(page, '/consent')
  if (page.url.origin === idp.issuer) throw new Error(`no redirect back: ${page.status} ${page.url}\n${page.text}`)
  return { callback: page.url, codeVerifier, nonce, state }
}
