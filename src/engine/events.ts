/** What the engine's room writes into the audit trail: people signing out, and everything that becomes of tokens. Never a token itself. */
import type { EventEmitter } from 'node:events'
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { AuditStore, Subject } from '#src/domain/audit/events.ts'
import type { Gathering } from '#src/domain/audit/gathering.ts'
import type { Recorder } from '#src/domain/audit/recorder.ts'
import { reasonOf } from './reasons.ts'

/** Whose token it is, by which application it was asked for, and how. */
export interface TokenFacts {
  readonly userId?: string
  readonly clientId: string
  /** `grant_type`, or `implicit`. */
  readonly grant: string
  readonly scope?: string
}

export type TokenEvents = ReturnType<typeof createTokenEvents>

/** Tokens are issued by the thousand: their events are gathered. */
export function createTokenEvents({ gathering, recorder }: { gathering: Gathering; recorder: Recorder }) {
  /** The user, or for a token of its own the application, by its client id. */
  const about = ({ userId, clientId }: Pick<TokenFacts, 'userId' | 'clientId'>): Subject =>
    userId === undefined ? { kind: 'application', id: clientId } : { kind: 'user', id: userId }
  const actor = { kind: 'system' } as const

  return {
    issued({ userId, clientId, grant, scope = '' }: TokenFacts): void {
      const type = grant === 'refresh_token' ? 'token.refreshed' : 'token.issued'
      gathering.note(recorder.event(type, actor, about({ userId, clientId }), { clientId, grant, scope }))
    },
    revoked(facts: { userId?: string; clientId: string; reason: string }): void {
      gathering.note(recorder.event('token.revoked', actor, about(facts), { clientId: facts.clientId, reason: facts.reason }))
    },
    refused(facts: { userId?: string; clientId: string; grant: string; reason: string }): void {
      const { clientId, grant, reason } = facts
      gathering.note(recorder.event('token.refused', actor, about(facts), { clientId, grant, reason }))
    },
  }
}

export interface EventsDeps {
  readonly provider: Provider & EventEmitter
  readonly audit: Pick<AuditStore, 'record'>
  readonly recorder: Recorder
  readonly tokens: TokenEvents
  readonly onFault: (error: unknown, ctx: KoaContextWithOIDC) => void
  readonly onRedirectMismatch: OnRedirectMismatch
}

/** Told of a request whose `redirect_uri` is none of the registered ones, which a developer wants to see next to each other. */
export type OnRedirectMismatch = (facts: { clientId: string; sent: string; registered: readonly string[] }, ctx: KoaContextWithOIDC) => void

/** Listens to the engine. Its listeners cannot wait, so a record that fails is a fault of its own. */
export function recordEngineEvents({ provider, audit, recorder, tokens, onFault, onRedirectMismatch }: EventsDeps): void {
  provider.on('authorization.error', (ctx: KoaContextWithOIDC, error: Error) => {
    const { client, params } = ctx.oidc
    if (error.message !== 'invalid_redirect_uri' || !client) return
    onRedirectMismatch(
      { clientId: client.clientId, sent: String(params?.redirect_uri).slice(0, 2000), registered: client.redirectUris ?? [] },
      ctx,
    )
  })

  provider.on('end_session.success', (ctx: KoaContextWithOIDC) => {
    const accountId = ctx.oidc.session?.accountId
    if (accountId === undefined) return
    const user = { kind: 'user', id: accountId } as const
    const event = recorder.event('user.signed_out', user, user, { clientId: ctx.oidc.client?.clientId })
    audit.record([event]).catch((error: unknown) => onFault(error, ctx))
  })

  provider.on('grant.success', (ctx: KoaContextWithOIDC) => {
    const { client, account, params } = ctx.oidc
    const { scope } = (ctx.body ?? {}) as { scope?: string }
    if (client) tokens.issued({ userId: account?.accountId, clientId: client.clientId, grant: String(params?.grant_type), scope })
  })
  provider.on(
    'authorization.success',
    (ctx: KoaContextWithOIDC, { access_token: token, scope }: { access_token?: string; scope?: string } = {}) => {
      const { client, account } = ctx.oidc
      if (token && client) tokens.issued({ userId: account?.accountId, clientId: client.clientId, grant: 'implicit', scope })
    },
  )

  // Only what a known application asks for: strangers could fill the trail.
  provider.on('grant.error', (ctx: KoaContextWithOIDC, error: Error & { error_detail?: string; error_description?: string }) => {
    const { client, account, params, entities } = ctx.oidc
    if (!client || !isAuthenticated(error)) return
    const source = entities.RefreshToken ?? entities.AuthorizationCode ?? entities.DeviceCode
    const reason = `${error.message}: ${reasonOf(error.error_detail ?? error.error_description ?? '')}`
    tokens.refused({
      userId: account?.accountId ?? source?.accountId,
      clientId: client.clientId,
      grant: String(params?.grant_type),
      reason,
    })
  })

  provider.on('grant.revoked', (ctx: KoaContextWithOIDC) => {
    const { client, entities } = ctx.oidc
    const source = entities.RefreshToken ?? entities.AuthorizationCode ?? entities.DeviceCode ?? entities.AccessToken
    const reason = ctx.oidc.route === 'token' ? 'used twice' : ctx.oidc.route
    if (client) tokens.revoked({ userId: source?.accountId, clientId: client.clientId, reason })
  })
  for (const kind of ['access_token', 'client_credentials']) {
    provider.on(`${kind}.destroyed`, ({ accountId, clientId }: { accountId?: string; clientId?: string }) => {
      if (clientId !== undefined) tokens.revoked({ userId: accountId, clientId, reason: 'revocation' })
    })
  }
}

/** Whether whoever failed had proved before to be the application. */
const isAuthenticated = ({ message }: Error) => message !== 'invalid_client'
