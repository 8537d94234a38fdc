import type { Provider } from 'oidc-provider'
import type { UserId } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import { errors, stateOf } from './internals.ts'
import type { createMachineTokens } from './machineTokens.ts'

export interface MachineGrantDeps {
  readonly provider: Provider
  readonly users: Pick<Users, 'find'>
  readonly issue: ReturnType<typeof createMachineTokens>
}

/** With client credentials machine users get a token of their own; applications what the engine gives them. */
export function installMachineGrant({ provider, users, issue }: MachineGrantDeps): void {
  const { grantTypeHandlers } = stateOf(provider)
  const original = grantTypeHandlers.get('client_credentials')
  if (!original) throw new TypeError('oidc-provider has no handler for client_credentials')
  grantTypeHandlers.set('client_credentials', async (ctx) => {
    const { client, params } = ctx.oidc
    if (client?.machine_user_id === undefined) return original(ctx)
    const user = await users.find(client.machine_user_id as UserId)
    if (!user) throw new errors.InvalidClient('not a machine user')
    ctx.body = await issue(user, typeof params?.scope === 'string' ? params.scope : '')
  })
}
