import { parse } from 'node:querystring'
import type { Context, Next } from 'koa'
import { type Clock, epochSeconds } from '#src/base/clock.ts'
import type { Application } from '#src/domain/applications/application.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import { isUsualClient } from '#src/domain/applications/protocol.ts'
import type { ArtifactStore } from '#src/domain/sessions/store.ts'
import { isActive, type UserId } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import { newTokenId } from '../accessTokens.ts'
import { artifactOf, authorizationCodeTtlSeconds } from '../artifacts.ts'
import { isOver, type StoredGrant } from '../bearer.ts'
import { allowedGrants, mustUsePkce } from '../clients.ts'
import { type Form, onceEach } from './form.ts'
import { hasOnly, usualGrant } from './source.ts'

export interface AuthorizeDeps {
  readonly issuer: string
  readonly artifacts: Pick<ArtifactStore, 'find' | 'put' | 'putSession'>
  readonly catalogue: Catalogue
  readonly users: Pick<Users, 'find'>
  readonly sessionCookie: { readonly name: string; readonly options: { readonly signed: boolean } }
  readonly now: Clock
}

/** What the engine keeps of a signed-in browser, as far as it concerns an application that it comes back to. */
interface StoredSession {
  readonly uid: string
  readonly exp: number
  readonly accountId?: string
  readonly acr?: string
  readonly amr?: readonly string[]
  readonly loginTs?: number
  readonly authorizations?: Readonly<Record<string, { readonly sid?: string; readonly grantId?: string }>>
}

interface Request extends Form {
  readonly client_id: string
  readonly redirect_uri: string
  readonly scope: string
}

const usualFields = new Set('client_id redirect_uri response_type scope state nonce code_challenge code_challenge_method prompt'.split(' '))
const usualSession = new Set('iat exp kind jti uid accountId acr amr loginTs state authorizations agent'.split(' '))

/**
 * The quick way through the authorization endpoint: a browser with a session comes back for an application that has been granted before what it
 * asks for now, and is sent on with a code. Whenever a page might have to be shown, it is the engine's request.
 */
export function createAuthorize({ issuer, artifacts, catalogue, users, sessionCookie, now }: AuthorizeDeps) {
  async function findUsual<Payload extends object>(model: string, id: string, fields: ReadonlySet<string>): Promise<Payload | undefined> {
    const payload = (await artifacts.find(model, id))?.payload
    return payload && hasOnly(payload, fields) && !isOver(payload, epochSeconds(now())) ? (payload as Payload) : undefined
  }

  async function answer(ctx: Context): Promise<boolean> {
    const request = readRequest(ctx.querystring)
    const sessionId = request && ctx.cookies.get(sessionCookie.name, sessionCookie.options)
    if (!sessionId) return false
    const { client_id: clientId, redirect_uri: redirectUri } = request
    const [root, view] = await Promise.all([catalogue.root(), catalogue.find(clientId)])
    if (!view || !mayAsk(view.application, request)) return false

    const session = await findUsual<StoredSession>('Session', sessionId, usualSession)
    const { accountId, authorizations = {} } = session ?? {}
    const authorization = Object.hasOwn(authorizations, clientId) ? authorizations[clientId] : undefined
    if (!session || !accountId || !authorization?.sid || !authorization.grantId) return false
    const { sid, grantId } = authorization
    const [grant, user] = await Promise.all([findUsual<StoredGrant>('Grant', grantId, usualGrant), users.find(accountId as UserId)])
    if (grant?.accountId !== accountId || grant.clientId !== clientId || !user || !isActive(user)) return false
    const scope = grantedScope(grant, request.scope)
    if (scope === undefined) return false

    const at = now()
    const iat = epochSeconds(at)
    const isOffline = scope.includes('offline_access')
    const code = {
      iat,
      exp: iat + authorizationCodeTtlSeconds,
      kind: 'AuthorizationCode',
      jti: newTokenId(at),
      clientId,
      accountId,
      grantId,
      sid,
      sessionUid: session.uid,
      ...(!isOffline && { expiresWithSession: true }),
      acr: session.acr,
      amr: session.amr,
      authTime: session.loginTs,
      scope: scope.join(' '),
      redirectUri,
      nonce: request.nonce,
      codeChallenge: request.code_challenge,
      codeChallengeMethod: request.code_challenge_method,
    }
    // A session is prolonged with every use. The engine notes in it whose tokens outlive it.
    const { sessionTtlSeconds } = root.settings
    const prolonged = {
      ...session,
      exp: iat + sessionTtlSeconds,
      ...(isOffline && { authorizations: { ...authorizations, [clientId]: { ...authorization, persistsLogout: true } } }),
    }
    await Promise.all([
      artifacts.put(artifactOf('AuthorizationCode', code.jti, code, authorizationCodeTtlSeconds, at)),
      artifacts.putSession(artifactOf('Session', sessionId, prolonged, sessionTtlSeconds, at)),
    ])
    ctx.cookies.set(sessionCookie.name, sessionId, { ...sessionCookie.options, expires: new Date(prolonged.exp * 1000) })
    ctx.set('Cache-Control', 'no-store')
    ctx.status = 303
    ctx.redirect(withAnswer(redirectUri, { code: code.jti, state: request.state, iss: issuer }))
    return true
  }

  return function authorize(ctx: Context, next: Next): Promise<unknown> {
    if (ctx.req.method !== 'GET' || ctx.path !== '/oauth/v2/authorize') return next()
    return answer(ctx).then((isAnswered) => (isAnswered ? undefined : next()))
  }
}

/** The request, if it is of the usual kind: the code flow of OpenID Connect, every parameter once and with a value. */
function readRequest(query: string): Request | undefined {
  const request = onceEach(parse(query))
  if (!request || !hasOnly(request, usualFields) || Object.values(request).includes('')) return undefined
  const { client_id, redirect_uri, scope, prompt, response_type: type } = request
  if (!client_id || !redirect_uri || !scope || type !== 'code' || (prompt !== undefined && prompt !== 'none')) return undefined
  return { ...request, client_id, redirect_uri, scope }
}

function mayAsk(
  application: Application,
  { redirect_uri: uri, code_challenge: challenge, code_challenge_method: method }: Request,
): boolean {
  const { active, type, firstParty, redirectUris, responseTypes } = application
  const isProvable =
    challenge === undefined ? method === undefined && !mustUsePkce(application) : method === 'S256' && challengeForm.test(challenge)
  const isAllowed = allowedGrants(application).includes('authorizationCode') && responseTypes.includes('code')
  const isAskedAgain = type === 'native' && !firstParty
  return active && !isAskedAgain && isUsualClient(application) && isAllowed && isProvable && redirectUris.includes(uri)
}

const challengeForm = /^[\w-]{43}$/

/** The scopes asked for, in the order in which they were granted, if all of them were, and `openid` is among them. */
function grantedScope({ openid }: StoredGrant, asked: string): readonly string[] | undefined {
  const scopes = new Set(asked.split(' '))
  const granted = (openid?.scope ?? '').split(' ').filter((scope) => scopes.has(scope))
  return scopes.has('openid') && granted.length === scopes.size ? granted : undefined
}

/** RFC 6749, section 4.1.2, with the issuer of RFC 9207. */
function withAnswer(redirectUri: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const address = new URL(redirectUri)
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) address.searchParams.set(name, value)
  return address.href
}
