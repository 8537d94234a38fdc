import { type Clock, epochSeconds } from '#src/base/clock.ts'
import type { Settings } from '#src/domain/applications/application.ts'
import type { ArtifactStore } from '#src/domain/sessions/store.ts'
import type { User } from '#src/domain/users/user.ts'
import { newAccessTokenId, newTokenId } from './accessTokens.ts'
import { artifactOf } from './artifacts.ts'
import type { TokenResponse } from './quick/issue.ts'
import { isDynamicScope, staticScopes } from './scopes.ts'

export interface MachineTokensDeps {
  readonly artifacts: Pick<ArtifactStore, 'put'>
  readonly settings: () => Settings
  readonly now: Clock
}

/**
 * Makes the token of a machine user (ZITADEL's service users), who has proved who it is: unlike an application's, it is the user's own, so userinfo and the APIs
 * know whom it speaks for. Its client id is the username; there is no application behind it.
 */
export function createMachineTokens({ artifacts, settings, now }: MachineTokensDeps) {
  return async function issue({ id: accountId, username: clientId }: Pick<User, 'id' | 'username'>, asked: string): Promise<TokenResponse> {
    const at = now()
    const iat = epochSeconds(at)
    const { accessTokenTtlSeconds: ttl } = settings()
    const scope = grantable(asked).join(' ')
    const grantId = newTokenId(at)
    const granted = scope === '' ? {} : { openid: { scope } }
    const grant = { iat, exp: iat + ttl + 60, kind: 'Grant', jti: grantId, accountId, clientId, ...granted }
    const shared = { iat, exp: iat + ttl, kind: 'AccessToken', jti: newAccessTokenId(at, false) }
    const token = { ...shared, accountId, clientId, grantId, gty: 'client_credentials', ...(scope !== '' && { scope }) }
    await Promise.all([
      artifacts.put(artifactOf('Grant', grantId, grant, ttl + 60, at)),
      artifacts.put(artifactOf('AccessToken', token.jti, token, ttl, at)),
    ])
    return { access_token: token.jti, expires_in: ttl, ...(scope !== '' && { scope }), token_type: 'Bearer' }
  }
}

/** What is known among the scopes asked for. A machine signs nobody in, so nothing lasts beyond its token. */
const grantable = (asked: string): readonly string[] => [
  ...new Set(asked.split(' ').filter((each) => each !== 'offline_access' && (Object.hasOwn(staticScopes, each) || isDynamicScope(each)))),
]
