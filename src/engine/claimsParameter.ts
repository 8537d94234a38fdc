import { errors } from './internals.ts'

type ClaimRequests = Readonly<Record<string, unknown>>

export interface ClaimsParameter {
  readonly id_token?: ClaimRequests
  readonly userinfo?: ClaimRequests
}

/** Refuses a claim that is asked for by anything but `null` or an object (OpenID Connect Core, section 5.5.1): the engine would fail on some of them. */
export function assertClaimRequests(claims: ClaimsParameter): void {
  for (const place of ['id_token', 'userinfo'] as const) {
    const wrong = Object.values(claims[place] ?? {}).some((request) => typeof request !== 'object' || Array.isArray(request))
    if (wrong) throw new errors.InvalidRequest(`claims: each claim of ${place} must be null or an object`)
  }
}
