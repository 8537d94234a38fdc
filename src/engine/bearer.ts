import type { Provider } from 'oidc-provider'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { Bearer, VerifyBearer } from '#src/domain/sessions/bearer.ts'
import { isActive, type UserId } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import { audienceOf } from './audience.ts'
import { readScope } from './scopes.ts'

export interface BearerDeps {
  readonly provider: Provider
  readonly catalogue: Catalogue
  readonly users: Pick<Users, 'find' | 'findByToken'>
}

/** Judges tokens for everything that is not the engine: the APIs. The rules are those of the engine's userinfo. */
export function createVerifyBearer({ provider, catalogue, users }: BearerDeps): VerifyBearer {
  return async function verifyBearer(token) {
    if (token.startsWith('pat_')) {
      const user = await users.findByToken(token)
      const { ownProjectId } = await catalogue.root()
      return user && { user, scopes: new Set(['openid', 'profile', 'email']), audience: new Set([user.username, ownProjectId]) }
    }
    return (await userToken(token)) ?? applicationToken(token)
  }

  async function userToken(value: string): Promise<Bearer | undefined> {
    const token = await provider.AccessToken.find(value)
    // A token that is bound to a key or a certificate is no bearer token.
    if (!token || token.isSenderConstrained()) return undefined
    const [grant, user, view, root] = await Promise.all([
      provider.Grant.find(token.grantId as string),
      users.find(token.accountId as UserId),
      catalogue.find(token.clientId as string),
      catalogue.root(),
    ])
    if (!grant || grant.accountId !== token.accountId || grant.clientId !== token.clientId || !user || !isActive(user)) return undefined
    if (view && !view.application.active) return undefined
    const request = readScope(token.scope)
    const audience = audienceOf(token.clientId as string, view, request, root.ownProjectId)
    return { user, clientId: token.clientId, scopes: request.scopes, audience: new Set(audience) }
  }

  async function applicationToken(value: string): Promise<Bearer | undefined> {
    const token = await provider.ClientCredentials.find(value)
    if (!token || token.isSenderConstrained()) return undefined
    const [view, root] = await Promise.all([catalogue.find(token.clientId as string), catalogue.root()])
    if (!view?.application.active) return undefined
    const request = readScope(token.scope)
    return {
      clientId: token.clientId,
      scopes: request.scopes,
      audience: new Set(audienceOf(token.clientId as string, view, request, root.ownProjectId)),
    }
  }
}
