import { type Clock, epochSeconds } from '#src/base/clock.ts'
import { accessTokenTtlOf } from '#src/domain/applications/builtIn.ts'
import type { ApplicationView, Catalogue } from '#src/domain/applications/catalogue.ts'
import type { Artifact } from '#src/domain/sessions/store.ts'
import { isActive, type UserId } from '#src/domain/users/user.ts'
import { newAccessTokenId, newTokenId, type SignAccessToken } from '../accessTokens.ts'
import { type FindsAccounts, findAccount } from '../account.ts'
import { artifactOf } from '../artifacts.ts'
import type { StoredGrant, StoredToken } from '../bearer.ts'
import type { SignIdToken, SignInFacts } from '../idTokens.ts'
import { readScope } from '../scopes.ts'

/** A code or a refresh token, as the engine keeps it: what tokens are issued for. */
export interface StoredSource extends StoredToken, SignInFacts {
  readonly sid?: string
  readonly gty?: string
  readonly acr?: string
  readonly iiat?: number
  readonly rotations?: number
}

/** RFC 6749, section 5.1. */
export interface TokenResponse {
  readonly access_token: string
  readonly expires_in: number
  readonly id_token?: string
  readonly refresh_token?: string
  readonly scope?: string
  readonly token_type: 'Bearer'
}

export interface Issued {
  /** What must be stored before the answer is given. */
  readonly artifacts: readonly Artifact[]
  readonly answer: TokenResponse
}

export interface IssueDeps {
  readonly catalogue: Pick<Catalogue, 'root'>
  readonly users: FindsAccounts
  readonly signAccessToken: SignAccessToken
  readonly signIdToken: SignIdToken
  readonly now: Clock
}

export interface IssueRequest {
  readonly view: ApplicationView
  readonly source: StoredSource
  readonly grant: StoredGrant
  /** How the tokens came about, as the engine notes it. */
  readonly gty: string
  /** What a new refresh token counts on from; without it none is issued. */
  readonly refresh?: { readonly rotations: number; readonly iiat?: number }
}

/** Makes the tokens of a user for an application, with the payloads that the engine would store. `undefined` when the user may not act. */
export function createIssue({ catalogue, users, signAccessToken, signIdToken, now }: IssueDeps) {
  return async function issue({ view, source, grant, gty, refresh }: IssueRequest): Promise<Issued | undefined> {
    const { accessTokenType, idTokenUserinfoAssertion } = view.application
    const isJwt = accessTokenType === 'jwt'
    const asked = new Set(source.scope?.split(' '))
    const granted = (grant.openid?.scope ?? '').split(' ').filter((scope) => asked.has(scope))
    const request = readScope(granted)
    const claiming = isJwt || idTokenUserinfoAssertion ? request : noScope
    const [account, root] = await Promise.all([findAccount(users, source.accountId as UserId, claiming), catalogue.root()])
    if (!account || !isActive(account.user)) return undefined

    const { refreshTokenTtlSeconds } = root.settings
    const accessTokenTtlSeconds = accessTokenTtlOf(source.clientId, root.settings)
    const at = now()
    const iat = epochSeconds(at)
    const { accountId, grantId, sessionUid, sid, clientId, expiresWithSession } = source
    const shared = { iat, accountId, expiresWithSession, grantId, gty, sessionUid, sid, clientId }
    const accessToken = {
      ...shared,
      exp: iat + accessTokenTtlSeconds,
      kind: 'AccessToken',
      jti: newAccessTokenId(at, isJwt),
      scope: granted.join(' '),
    }
    const artifacts = [artifactOf('AccessToken', accessToken.jti, accessToken, accessTokenTtlSeconds, at)]
    let refreshTokenId: string | undefined
    if (refresh) {
      refreshTokenId = newTokenId(at)
      const { acr, amr, authTime, nonce, scope } = source
      const facts = { acr, amr, authTime, nonce, scope, rotations: refresh.rotations, iiat: refresh.iiat ?? iat }
      const payload = { ...shared, ...facts, exp: iat + refreshTokenTtlSeconds, kind: 'RefreshToken', jti: refreshTokenId }
      artifacts.push(artifactOf('RefreshToken', refreshTokenId, payload, refreshTokenTtlSeconds, at))
    }

    const sources = { ...account, root, view }
    const value = isJwt ? await signAccessToken({ ...accessToken, clientId }, request, sources) : accessToken.jti
    const idToken = asked.has('openid') ? await signIdToken({ sources, scope: request, facts: source, accessToken: value }) : undefined
    const answer: TokenResponse = {
      access_token: value,
      expires_in: accessTokenTtlSeconds,
      ...(idToken !== undefined && { id_token: idToken }),
      ...(refreshTokenId !== undefined && { refresh_token: refreshTokenId }),
      scope: accessToken.scope,
      token_type: 'Bearer',
    }
    return { artifacts, answer }
  }
}

const noScope = readScope('')
