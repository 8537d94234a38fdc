/** Tokens as the engine stores them, written directly: a thousand sign-ins through a browser would measure argon2id. */
import { epochSeconds } from '#src/base/clock.ts'
import { newSecret } from '#src/base/ids.ts'
import type { Domain } from '#src/compose.ts'
import type { UserId } from '#src/domain/users/user.ts'
import { newTokenId } from '#src/engine/accessTokens.ts'
import { inBatches } from './batches.ts'

const scope = 'openid profile email urn:zitadel:iam:user:metadata urn:zitadel:iam:org:project:id:zitadel:aud'
const lifetimeSeconds = 43_200

/** For each user a session with a grant and an access token that ends with it: what a sign-in without `offline_access` leaves behind. */
export async function accessTokensFor(
  { stores, now }: Domain,
  clientId: string,
  userIds: readonly UserId[],
  binding: { readonly jkt?: string } = {},
): Promise<readonly string[]> {
  return inBatches(userIds, 50, async (accountId) => {
    const common = timesOf(now())
    const [grantId, sessionId, uid, token] = [newTokenId(now()), newSecret(), newSecret(), newTokenId(now())]
    const { expiresAt } = common
    const times = { iat: common.iat, exp: common.exp }
    const session = {
      ...times,
      jti: sessionId,
      kind: 'Session',
      uid,
      accountId,
      loginTs: common.iat,
      authorizations: { [clientId]: { sid: newSecret(), grantId } },
    }
    const grant = { ...times, jti: grantId, kind: 'Grant', accountId, clientId, openid: { scope } }
    const accessToken = {
      ...times,
      jti: token,
      kind: 'AccessToken',
      accountId,
      clientId,
      grantId,
      gty: 'authorization_code',
      scope,
      sessionUid: uid,
      expiresWithSession: true,
      ...binding,
    }
    await Promise.all([
      stores.artifacts.put({ model: 'Session', id: sessionId, payload: session, expiresAt, uid, accountId }),
      stores.artifacts.put({ model: 'Grant', id: grantId, payload: grant, expiresAt, accountId }),
      stores.artifacts.put({ model: 'AccessToken', id: token, payload: accessToken, expiresAt, grantId, uid, accountId }),
    ])
    return token
  })
}

/** A personal access token of a machine user who may manage everybody. */
export async function managerTokenOf({ users, catalogue }: Domain): Promise<string> {
  const { ownProjectId } = await catalogue.root()
  const system = { kind: 'system' } as const
  const username = `manager-${newSecret()}`
  const { id } = await users.create({ kind: 'machine', username, profile: {}, roles: { [ownProjectId]: ['ORG_OWNER'] } }, system)
  return (await users.createToken(id, { name: 'bench' }, system)).token
}

/** One refresh token for each of `userIds`, with its grant. */
export async function refreshTokensFor({ stores, now }: Domain, clientId: string, userIds: readonly UserId[]): Promise<readonly string[]> {
  const offline = `${scope} offline_access`
  return inBatches(userIds, 50, async (accountId) => {
    const { expiresAt, iat, exp } = timesOf(now(), 60 * 86_400)
    const [grantId, token] = [newTokenId(now()), newTokenId(now())]
    const grant = { iat, exp, jti: grantId, kind: 'Grant', accountId, clientId, openid: { scope: offline } }
    const refreshToken = {
      ...{ iat, exp, iiat: iat, jti: token, kind: 'RefreshToken', accountId, clientId, grantId, gty: 'authorization_code' },
      ...{ amr: ['pwd'], authTime: iat, scope: offline, sid: newSecret(), rotations: 0 },
    }
    await Promise.all([
      stores.artifacts.put({ model: 'Grant', id: grantId, payload: grant, expiresAt, accountId }),
      stores.artifacts.put({ model: 'RefreshToken', id: token, payload: refreshToken, expiresAt, grantId, accountId }),
    ])
    return token
  })
}

function timesOf(now: Date, seconds = lifetimeSeconds) {
  const iat = epochSeconds(now)
  return { iat, exp: iat + seconds, expiresAt: new Date(now.getTime() + seconds * 1000) }
}
