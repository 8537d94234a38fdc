import type { Artifact } from '#src/domain/sessions/store.ts'

/** The fields of what the engine keeps that we read ourselves. */
interface Payload {
  readonly kind?: string
  readonly grantId?: string
  readonly uid?: string
  readonly sessionUid?: string
  readonly expiresWithSession?: boolean
  readonly userCode?: string
  readonly accountId?: string
}

export const authorizationCodeTtlSeconds = 60

/** What the engine calls `payload` of a `model`, with the fields by which the store finds it. `expiresIn` is in seconds. */
export function artifactOf(model: string, id: string, payload: Payload, expiresIn: number | undefined, now: Date): Artifact {
  return {
    model,
    id,
    payload: payload as Artifact['payload'],
    expiresAt: expiresIn === undefined || Number.isNaN(expiresIn) ? undefined : new Date(now.getTime() + expiresIn * 1000),
    grantId: model === 'Session' || model === 'Interaction' ? undefined : payload.grantId,
    uid: model === 'Session' ? payload.uid : payload.expiresWithSession ? payload.sessionUid : undefined,
    userCode: payload.userCode,
    accountId: payload.accountId,
  }
}
