/** What is valid at a server at this moment: clients, codes, tokens, cookies. A made-up request names them as `<code>`, so that it reads well when it fails. */
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import * as client from 'openid-client'
import type { Application } from '#src/domain/applications/application.ts'
import type { Page } from '../browser.ts'
import { type Idp, password, person } from '../idp.ts'
import { proxiedApplication, ReverseProxy } from '../proxy.ts'
import { authorize, metadataScope, relyingParty, zitadelAudience } from '../relyingParty.ts'

/** Names of what anybody may see, also in a reply. */
export const publicNames = [
  ...['issuer', 'web', 'keyed', 'spa', 'native', 'redirectUri', 'spaRedirectUri', 'logoutUri', 'scope', 'challenge'],
  ...['sub', 'username', 'userCode', 'requestUri', 'state', 'uid', 'kid', 'api'],
  // Pages show them to the browser that they were made for.
  ...['csrf', 'deviceXsrf', 'signOutXsrf'],
] as const

/** Names of what nobody may read in a reply or in the log. */
export const secretNames = [
  ...['secret', 'password', 'code', 'verifier', 'access', 'refresh', 'idToken', 'deviceCode', 'pat'],
  ...['session', 'proxySession'],
] as const

export type Live = Readonly<Record<(typeof publicNames)[number] | (typeof secretNames)[number], string>> & {
  /** The cookies of a browser that has signed in, and is asked to sign in again. */
  readonly cookies: (path: string) => string
}

export type Signer = 'client' | 'machine' | 'stranger'

const keys = {
  client: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  stranger: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
}

/** Public keys, as a proof of possession carries them. */
export const publicJwk = (signer: 'client' | 'stranger') => keys[signer].publicKey.export({ format: 'jwk' })

const origin = 'https://app.example'
const scope = `openid profile email offline_access ${metadataScope} ${zitadelAudience}`

/** Registers what there is to misuse at a server, and answers what makes everything that wears out anew, and signs with the keys that it knows. */
export async function registerTargets(idp: Idp) {
  const jwks = { keys: [{ ...publicJwk('client'), kid: 'client', alg: 'ES256', use: 'sig' }] }
  const changes: Partial<Application> = { jwks, grantTypes: [...idp.web.grantTypes, 'tokenExchange'] }
  const web = await proxiedApplication(idp, origin, changes)
  const keyed: Application = { ...web, id: 'keyed', clientId: 'keyed', authMethod: 'privateKeyJwt', clientSecretHash: undefined }
  const api: Application = { ...idp.native, id: 'api', clientId: 'api', type: 'api', resourceIndicators: ['https://api.example/'] }
  await idp.domain.catalogue.commit({ putApplications: [keyed, api], events: [] })
  const system = { kind: 'system' } as const
  const machine = await idp.domain.users.create({ kind: 'machine', username: 'machine', profile: {} }, system)
  // Whose name is typed with wrong passwords, and who is therefore kept waiting.
  const victim = await idp.domain.users.create(person({ username: 'victim' }), system)
  const { keyId, key } = await idp.domain.users.createKey(machine.id, {}, system)
  const { token: pat } = await idp.domain.users.createToken(machine.id, { name: 'a token' }, system)
  const signers: Readonly<Record<Signer, KeyObject>> = {
    client: keys.client.privateKey,
    stranger: keys.stranger.privateKey,
    machine: createPrivateKey(key),
  }
  const browser = idp.browser()

  return {
    /** The redirect URIs that a reply may lead to. */
    redirectUris: [...web.redirectUris, ...idp.spa.redirectUris, ...idp.native.redirectUris, ...web.postLogoutRedirectUris],

    /** A JWT over any text: JOSE libraries would not sign what is wrong. */
    signed(signer: Signer, header: string, payload: string): string {
      const input = `${Buffer.from(header).toString('base64url')}.${Buffer.from(payload).toString('base64url')}`
      return `${input}.${sign('sha256', Buffer.from(input), { key: signers[signer], dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
    },

    async renew(): Promise<Live> {
      // The same address signs in again and again, which makes people wait.
      await idp.domain.stores.attempts.forgetAll('')
      const configuration = await relyingParty(idp, web)
      const signIn = async () => {
        const done = await authorize(idp, configuration, { application: web, browser, scope })
        const checks = { pkceCodeVerifier: done.codeVerifier, expectedNonce: done.nonce, expectedState: done.state }
        return { ...done, redeem: () => client.authorizationCodeGrant(configuration, done.callback, checks) }
      }
      const tokens = await (await signIn()).redeem()
      const unused = await signIn()
      const device = await client.initiateDeviceAuthorization(configuration, { scope: 'openid' })
      const challenge = await client.calculatePKCECodeChallenge(unused.codeVerifier)
      const redirectUri = web.redirectUris[0] as string
      const request = { redirect_uri: redirectUri, scope: 'openid', code_challenge: challenge, code_challenge_method: 'S256' }
      const pushed = await client.buildAuthorizationUrlWithPAR(configuration, request)
      const proxy = new ReverseProxy(idp, web, origin)
      await proxy.signIn(idp.jane.username, browser)
      const page = await browser.open(client.buildAuthorizationUrl(configuration, { ...request, prompt: 'login' }))
      // A browser has one form of the engine's at a time, so the device is typed in from another one.
      const signOutPage = await browser.open(idp.url('/oidc/v1/end_session'))
      const other = idp.browser()
      const devicePage = await other.open('/device')
      const cookies = (path: string) =>
        path.startsWith('/device')
          ? other.cookieHeader(path)
          : `${browser.cookieHeader(path)}; ${[...proxy.cookies].map((pair) => pair.join('=')).join('; ')}`
      return {
        issuer: idp.issuer,
        web: web.clientId,
        keyed: keyed.clientId,
        spa: idp.spa.clientId,
        native: idp.native.clientId,
        redirectUri,
        spaRedirectUri: idp.spa.redirectUris[0] as string,
        logoutUri: web.postLogoutRedirectUris[0] as string,
        scope,
        challenge,
        sub: idp.jane.id,
        username: victim.username,
        userCode: device.user_code,
        requestUri: pushed.searchParams.get('request_uri') as string,
        state: unused.state,
        uid: page.url.pathname.split('/').at(-1) as string,
        kid: keyId,
        api: machine.id,
        secret: idp.secret,
        password,
        code: unused.callback.searchParams.get('code') as string,
        verifier: unused.codeVerifier,
        access: tokens.access_token,
        refresh: tokens.refresh_token as string,
        idToken: tokens.id_token as string,
        deviceCode: device.device_code,
        pat,
        csrf: hidden('csrf', page),
        signOutXsrf: hidden('xsrf', signOutPage),
        deviceXsrf: hidden('xsrf', devicePage),
        session: /session=([^;]+)/.exec(browser.cookieHeader('/'))?.[1] as string,
        proxySession: [...proxy.cookies.values()][0] as string,
        cookies,
      }
    },
  }
}

const hidden = (name: string, { text }: Page) => new RegExp(`name="${name}" value="([^"]+)"`).exec(text)?.[1] ?? ''
