import type { Configuration, KoaContextWithOIDC } from 'oidc-provider'
import type { EnginePages } from './pages.ts'

type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>

const problems = {
  NotFoundError: 'notFound',
  NoCodeError: 'notFound',
  ExpiredError: 'expired',
  AlreadyUsedError: 'used',
  AbortedError: 'denied',
} as const

const tokenOf = (ctx: KoaContextWithOIDC) => (ctx.oidc.session?.state as { secret: string } | undefined)?.secret ?? ''

/** Somebody has taken the code up and has not finished: the engine calls that "used" too. */
async function isInUse({ oidc }: KoaContextWithOIDC): Promise<boolean> {
  // In the form in which the engine stores it.
  const userCode = String(oidc.params?.user_code).replace(/\W/g, '').toUpperCase()
  const code = await oidc.provider.DeviceCode.findByUserCode(userCode, { ignoreExpiration: true })
  return code !== undefined && !code.error && !code.accountId
}

/** The pages of the device flow (RFC 8628), told from the engine's errors. */
export function deviceSources(pages: EnginePages): Pick<DeviceFlow, 'userCodeInputSource' | 'userCodeConfirmSource' | 'successSource'> {
  return {
    async userCodeInputSource(ctx, _form, out, error) {
      const told = error ? (problems[error.name as keyof typeof problems] ?? 'failed') : out ? 'failed' : undefined
      const problem = told === 'used' && (await isInUse(ctx)) ? 'inUse' : told
      const userCode = (error as { userCode?: string } | undefined)?.userCode
      await pages.userCode(ctx, { action: ctx.oidc.urlFor('code_verification'), token: tokenOf(ctx), userCode, problem })
    },
    async userCodeConfirmSource(ctx, _form, client, deviceInfo, userCode) {
      await pages.confirmDevice(ctx, {
        action: ctx.oidc.urlFor('code_verification'),
        token: tokenOf(ctx),
        userCode,
        applicationName: client.clientName ?? client.clientId,
        device: deviceInfo.ip ? String(deviceInfo.ip) : '',
      })
    },
    async successSource(ctx) {
      await pages.deviceDone(ctx, { applicationName: ctx.oidc.client?.clientName ?? ctx.oidc.client?.clientId ?? '' })
    },
  }
}
