/** A request that was run, until its answer comes. */
export interface PendingRun {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly clientId: string
  readonly clientSecret: string
  readonly usesPkce: boolean
}

/** Where an application's answer comes, beside that of the area's own sign-in. */
export const answerPath = '/answer'

/** So long an answer is waited for, and the secret kept that was typed for it. */
export const runSeconds = 900
