/** Applications that register themselves, by hand and by `openid-client`. */
import * as client from 'openid-client'
import type { Settings } from '#src/domain/applications/application.ts'
import { type Idp, type IdpOptions, startIdp } from './idp.ts'
import { authorize } from './relyingParty.ts'

type Mode = Settings['dynamicClientRegistration']

export const callback = 'https://app.example/callback'

export interface Answer {
  readonly status: number
  readonly client_id: string
  readonly client_secret?: string
  readonly registration_access_token: string
  readonly registration_client_uri: string
  readonly error?: string
  readonly error_description?: string
  readonly [name: string]: unknown
}

export async function allow(idp: Idp, dynamicClientRegistration: Mode): Promise<void> {
  const { settings } = await idp.domain.catalogue.root()
  await idp.domain.catalogue.commit({ settings: { ...settings, dynamicClientRegistration }, events: [] })
}

/** A server at which anybody may register. */
export async function openIdp(options?: IdpOptions): Promise<Idp> {
  const idp = await startIdp(options)
  await allow(idp, 'open')
  return idp
}

export async function ask(url: URL | string, method: string, body?: unknown, token?: string): Promise<Answer> {
  const reply = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
  })
  const text = await reply.text()
  return { status: reply.status, ...(text === '' ? {} : JSON.parse(text)) }
}

export const register = (idp: Idp, metadata: unknown = { redirect_uris: [callback] }, token?: string) =>
  ask(idp.url('/oauth/v2/register'), 'POST', metadata, token)

/** Reads, changes or removes what `made` tells of, with the token that it tells. */
export const manage = (made: Answer, method: string, body?: unknown) =>
  ask(made.registration_client_uri, method, body, made.registration_access_token)

/** The application of a client id as it is kept. */
export async function kept(idp: Idp, clientId: unknown) {
  const view = await idp.domain.catalogue.find(clientId as string)
  if (!view) throw new Error('there is no such application')
  return view.application
}

/** Registers, signs Jane in at the application, who agrees, and answers its tokens. */
export async function registeredParty(idp: Idp, metadata: Partial<client.ClientMetadata> = {}, scope = 'openid') {
  const configuration = await client.dynamicClientRegistration(
    new URL(idp.issuer),
    { redirect_uris: ['http://localhost:3000/callback'], ...metadata },
    undefined,
    { execute: [client.allowInsecureRequests] },
  )
  const done = await authorize(idp, configuration, { scope })
  const checks = { pkceCodeVerifier: done.codeVerifier, expectedNonce: done.nonce, expectedState: done.state }
  const tokens = await client.authorizationCodeGrant(configuration, done.callback, checks)
  return { configuration, tokens, made: configuration.clientMetadata() as unknown as Answer }
}
