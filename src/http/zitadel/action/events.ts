/** Events of the audit trail by the names that ZITADEL gives them, as targets are told of them. */
import type { AuditEvent, EventType } from '#src/domain/audit/events.ts'

const names: Partial<Readonly<Record<EventType, string | ((event: AuditEvent) => string)>>> = {
  'user.created': ({ payload }) => ((payload as { kind: string }).kind === 'machine' ? 'user.machine.added' : 'user.human.added'),
  'user.changed': ({ payload }) => changeOf((payload as { fields: readonly string[] }).fields),
  'user.password_changed': 'user.human.password.changed',
  'user.password_rehashed': 'user.human.password.hash.updated',
  'user.deactivated': 'user.deactivated',
  'user.reactivated': 'user.reactivated',
  'user.locked': 'user.locked',
  'user.unlocked': 'user.unlocked',
  'user.removed': 'user.removed',
  'user.signed_in': 'user.human.password.check.succeeded',
  'user.sign_in_failed': 'user.human.password.check.failed',
  'user.signed_out': 'user.human.signed.out',
  'user.token_created': 'user.pat.added',
  'user.token_revoked': 'user.pat.removed',
  'user.key_added': 'user.machine.key.added',
  'user.key_removed': 'user.machine.key.removed',
  'user.impersonated': 'user.impersonated',
  'metadata.set': 'user.metadata.set',
  'metadata.removed': 'user.metadata.removed',
}

/** Those that a target can be told of. */
export const toldEvents = Object.keys(names) as readonly EventType[]

/** What `names` may make of an event. */
export const eventNames: readonly string[] = [
  ...Object.values(names).filter((name) => typeof name === 'string'),
  'user.machine.added',
  'user.human.added',
  'user.username.changed',
  'user.grant.changed',
  'user.machine.secret.updated',
  'user.human.profile.changed',
]

function changeOf(fields: readonly string[]): string {
  if (fields.includes('username')) return 'user.username.changed'
  if (fields.includes('roles') || fields.includes('inactiveGrants')) return 'user.grant.changed'
  return fields.includes('secretHash') ? 'user.machine.secret.updated' : 'user.human.profile.changed'
}

/** The name that ZITADEL gives an event; none when it is not about a user. */
export function nameOfEvent(event: AuditEvent): string | undefined {
  const found = names[event.type]
  return typeof found === 'function' ? found(event) : found
}

/** What a target is told of an event; nothing when it is not about a user. Values of metadata are not in it. */
export function describeEvent(event: AuditEvent, organizationId: string): { readonly name: string; readonly payload: object } | undefined {
  const name = nameOfEvent(event)
  if (name === undefined) return undefined
  const { subject, actor, at, sequence, payload } = event
  return {
    name,
    payload: {
      aggregateID: subject.id,
      aggregateType: 'user',
      resourceOwner: organizationId,
      instanceID: organizationId,
      version: 'v2',
      ...(sequence !== undefined && { sequence }),
      event_type: name,
      created_at: at.toISOString(),
      userID: actor.kind === 'user' ? actor.id : actor.kind,
      event_payload: payload,
    },
  }
}
