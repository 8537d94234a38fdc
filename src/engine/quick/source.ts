import type { HeldToken } from '../bearer.ts'
import type { StoredSource } from './issue.ts'

/** What the engine keeps of a code or a refresh token of the usual kind, and of its grant. Anything else in it means something special. */
const usualSource = new Set(
  'iat exp kind jti clientId accountId grantId sessionUid expiresWithSession sid scope gty amr acr authTime nonce iiat rotations'.split(
    ' ',
  ),
)
const usualCode = new Set([...usualSource, 'codeChallenge', 'codeChallengeMethod', 'redirectUri'])
export const usualGrant = new Set('iat exp kind jti clientId accountId openid'.split(' '))

/**
 * Whether tokens may be issued for it without the engine: a user's, not used before, not bound to a key, for no other resource server, without
 * claims asked for one by one.
 */
export function isUsual({ token, grant, isConsumed }: HeldToken<StoredSource>): boolean {
  const known = token.kind === 'AuthorizationCode' ? usualCode : usualSource
  return !isConsumed && token.accountId !== undefined && hasOnly(token, known) && hasOnly(grant, usualGrant)
}

/** Whether `record` has no other fields than these. */
export function hasOnly(record: object, names: ReadonlySet<string>): boolean {
  for (const name in record) if (!names.has(name)) return false
  return true
}
