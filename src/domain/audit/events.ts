/**
 * The audit trail: the catalogue of everything that is recorded. A change is written in one transaction with its event, so the
 * trail never lacks one and never invents one. History, webhooks and triggers read these events.
 *
 * This room knows names and shapes; the drivers write them. An event never holds a secret, a token, a password or a metadata value.
 */

/** Who did it. `cli` is somebody with the machine, named by the operating system's user. */
export type Actor =
  | { readonly kind: 'user'; readonly id: string }
  | { readonly kind: 'cli'; readonly name: string }
  | { readonly kind: 'system' }

/** What it happened to. */
export interface Subject {
  readonly kind:
    | 'user'
    | 'project'
    | 'application'
    | 'organization'
    | 'settings'
    | 'key'
    | 'target'
    | 'execution'
    | 'registrationToken'
    | 'app'
  readonly id: string
}

/** Each type of event with what it tells beside actor, time and subject. */
export interface EventPayloads {
  'user.created': { username: string; kind: 'human' | 'machine' }
  'user.changed': { fields: readonly string[] }
  'user.password_changed': Record<string, never>
  'user.password_rehashed': { from: string }
  'user.deactivated': Record<string, never>
  'user.reactivated': Record<string, never>
  'user.locked': Record<string, never>
  'user.unlocked': Record<string, never>
  'user.deletion_requested': { deletionAt: string }
  'user.deletion_cancelled': Record<string, never>
  'user.removed': Record<string, never>
  'user.signed_in': { clientId?: string; amr: readonly string[]; address: string }
  'user.sign_in_failed': { reason: 'password' | 'throttled' | 'inactive'; address: string }
  'user.signed_out': { clientId?: string }
  'user.consented': { clientId: string; scope: string }
  'user.access_revoked': { clientId: string }
  'user.token_created': { tokenId: string; name: string; expiresAt?: string }
  'user.token_revoked': { tokenId: string }
  'user.key_added': { keyId: string; expiresAt?: string }
  'user.key_removed': { keyId: string }
  'user.impersonated': { clientId: string; actorId: string; scope: string }
  'user.identity_added': { app: string; provider: string }
  'user.identity_removed': { app: string; provider: string }
  'user.logged_in': { app: string; provider: string; address: string }
  /** `providers` are those of the identities that they had there. */
  'user.left_app': { app: string; providers: readonly string[] }
  'user.session_ended': { sessionId: string }
  'logout.delivered': { clientId: string; sid?: string; attempt: number }
  'logout.failed': { clientId: string; sid?: string; attempt: number; reason: string; givenUp: boolean }
  'token.issued': { clientId: string; grant: string; scope: string }
  'token.refreshed': { clientId: string; grant: string; scope: string }
  'token.revoked': { clientId: string; reason: string }
  'token.refused': { clientId: string; grant: string; reason: string }
  'metadata.set': { key: string; bytes: number }
  'metadata.removed': { key: string }
  /** Somebody was shown the value. */
  'metadata.revealed': { key: string }
  /** The document that an app keeps of the user was written here; `app` is its internal id. */
  'custom_data.changed': { app: string; bytes: number }
  'organization.changed': { fields: readonly string[] }
  'settings.changed': { fields: readonly string[] }
  'project.created': { name: string }
  'project.changed': { fields: readonly string[] }
  'project.removed': Record<string, never>
  'application.created': { name: string; clientId: string; projectId: string }
  'application.changed': { fields: readonly string[] }
  'application.removed': { clientId: string }
  'registration_token.created': { name: string; uses?: number; expiresAt?: string }
  'registration_token.revoked': Record<string, never>
  'target.created': { name: string }
  'target.changed': { fields: readonly string[] }
  'target.removed': Record<string, never>
  /** `reason` when it failed. */
  'target.called': { cause: string; reason?: string }
  'execution.set': { targets: readonly string[] }
  /** `fields` are paths of files. */
  'app.created': { clientAppId: string }
  'app.changed': { fields: readonly string[] }
  'app.secret_changed': { name: string }
  'app.removed': Record<string, never>
  /** The function threw, or is gone; `reason` is its message. Given up, it is a dead letter. */
  'trigger.failed': { trigger: string; attempt: number; reason: string; givenUp: boolean }
  'key.created': { algorithm: string; activeFrom: string }
  /** It was to sign later, and signs now. */
  'key.advanced': { activeFrom: string }
  'key.retired': { publishedUntil: string }
  'key.removed': Record<string, never>
}

export type EventType = keyof EventPayloads

/** One entry of the trail. `sequence` counts the changes to one user, from 1, without a gap; a mere occurrence (a sign-in) has none. */
export interface AuditEvent<T extends EventType = EventType> {
  readonly id: string
  readonly type: T
  readonly at: Date
  readonly actor: Actor
  readonly subject: Subject
  readonly sequence?: number
  readonly payload: EventPayloads[T]
}

/** An event that changed a user. */
export type Change = AuditEvent & { readonly sequence: number }

export interface ChangesPage {
  /** The number of the last change that is known; without it they begin at an end. */
  readonly beyond?: number
  readonly ascending: boolean
  readonly limit: number
}

/** From a moment on, and up to another that is not among them any more. */
export interface TrailPeriod {
  readonly from?: Date | undefined
  readonly to?: Date | undefined
}

/** What can be asked of an event, and has an index. */
export type TrailCondition =
  | { readonly kind: 'types'; readonly types: readonly EventType[] }
  | { readonly kind: 'actor'; readonly actor: { readonly kind: 'user'; readonly id: string } | { readonly kind: 'cli' | 'system' } }
  | { readonly kind: 'subject'; readonly subject: Subject }

/** Where an event stands: its time in milliseconds, and what tells it from others of that time. */
export interface TrailPlace {
  readonly at: number
  readonly id: string | number
}

/** Where recorded events are read, and where occurrences that change nothing are written. */
export interface AuditStore {
  /** Writes events that belong to no change of a record. */
  record(events: readonly AuditEvent[]): Promise<void>
  /**
   * What was recorded of `types` since `cursor` was answered, oldest first, with the cursor to go on from; without one, nothing, and the cursor of now. Nothing is
   * left out, whatever processes record at the same moment.
   */
  since(
    cursor: string | undefined,
    types: readonly EventType[],
    limit: number,
  ): Promise<{ readonly events: readonly AuditEvent[]; readonly cursor: string }>
  /** The newest events about one subject first; `before` is the id of the last event of the previous page. */
  list(subject: Subject, page: { before?: string; limit: number }): Promise<readonly AuditEvent[]>
  /** How many events of a period a condition finds, counted as far as `most`. */
  countPlaces(condition: TrailCondition, period: TrailPeriod, most: number): Promise<number>
  /** The places of the events that a condition finds in a period, or of all, from an index alone: the newest first, from behind `after`. */
  places(
    condition: TrailCondition | undefined,
    period: TrailPeriod,
    page: { readonly after?: TrailPlace | undefined; readonly limit: number },
  ): Promise<readonly TrailPlace[]>
  /** The events at `places` for which all conditions hold, in any order. */
  findAll(
    places: readonly TrailPlace[],
    conditions: readonly TrailCondition[],
  ): Promise<readonly { readonly place: TrailPlace; readonly event: AuditEvent }[]>
  /** How many events of some types there are in a period, from an index alone. */
  count(of: { readonly types: readonly EventType[]; readonly from: Date; readonly to: Date }): Promise<number>
  /** The changes of a user by their numbers: those above `beyond`, the oldest first, or those below it, the newest first. */
  changes(userId: string, page: ChangesPage): Promise<readonly Change[]>
}
