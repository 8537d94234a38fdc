/** What an application would be told of somebody, made by the code that makes it: nothing is issued, and no target of the operator's is called. */
import type { Clock } from '#src/base/clock.ts'
import { epochSeconds } from '#src/base/clock.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { UserId } from '#src/domain/users/user.ts'
import { createSignAccessToken } from './accessTokens.ts'
import { type FindsAccounts, findAccount } from './account.ts'
import { type Claims, userinfoClaims, withMetadata } from './claims.ts'
import { createSignIdToken } from './idTokens.ts'
import type { Keyring } from './keyring.ts'
import { readScope } from './scopes.ts'

interface Preview {
  readonly userinfo: Claims
  readonly idToken: Claims
  /** Absent for an application whose access tokens say nothing by themselves. */
  readonly accessToken?: Claims
}

/** What the application of `clientId` would be told of a user for `scope`, without what is new in each token; `undefined` when one of them is not there. */
export type PreviewClaims = (userId: UserId, clientId: string, scope: string) => Promise<Preview | undefined>

interface PreviewDeps {
  readonly issuer: string
  readonly users: FindsAccounts
  readonly catalogue: Catalogue
  readonly now: Clock
}

/** Signs nothing: the payload of a token is its text. */
const unsigned: Pick<Keyring, 'sign'> = { sign: (_algorithm, payload) => payload }

/** Stands for what is made anew for each token. */
const placeholder = 'preview'
const madeAnew = ['jti', 'at_hash', 'auth_time', 'amr', 'nonce', 'sid']

export function createPreview({ issuer, users, catalogue, now }: PreviewDeps): PreviewClaims {
  const signAccessToken = createSignAccessToken({ issuer, keyring: unsigned })
  const signIdToken = createSignIdToken({ issuer, keyring: unsigned, now })

  return async (userId, clientId, scope) => {
    const request = readScope(scope)
    const [account, view, root] = await Promise.all([findAccount(users, userId, request), catalogue.find(clientId), catalogue.root()])
    if (!account || !view) return undefined
    const sources = { ...account, root, view }
    const iat = epochSeconds(now())
    const token = { jti: placeholder, iat, exp: iat + root.settings.accessTokenTtlSeconds, clientId, accountId: userId, scope }
    const [idToken, accessToken] = await Promise.all([
      signIdToken({ sources, scope: request, facts: {}, accessToken: placeholder }),
      view.application.accessTokenType === 'jwt' ? signAccessToken(token, request, sources) : undefined,
    ])
    return {
      userinfo: JSON.parse(withMetadata(userinfoClaims(sources, request), account.metadata, request)),
      idToken: lasting(idToken),
      ...(accessToken !== undefined && { accessToken: lasting(accessToken) }),
    }
  }
}

const lasting = (text: string): Claims => Object.fromEntries(Object.entries(JSON.parse(text)).filter(([name]) => !madeAnew.includes(name)))
