import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { AuditStore } from '#src/domain/audit/events.ts'
import type { Recorder } from '#src/domain/audit/recorder.ts'

export interface EventsDeps {
  readonly provider: Provider
  readonly audit: Pick<AuditStore, 'record'>
  readonly recorder: Recorder
  readonly onFault: (error: unknown, ctx: KoaContextWithOIDC) => void
}

/** Writes what the engine does to people into the audit trail. Its listeners cannot wait, so a record that fails is a fault of its own. */
export function recordEngineEvents({ provider, audit, recorder, onFault }: EventsDeps): void {
  provider.on('end_session.success', (ctx) => {
    const accountId = ctx.oidc.session?.accountId
    if (accountId === undefined) return
    const user = { kind: 'user', id: accountId } as const
    const event = recorder.event('user.signed_out', user, user, { clientId: ctx.oidc.client?.clientId })
    audit.record([event]).catch((error: unknown) => onFault(error, ctx))
  })
}
