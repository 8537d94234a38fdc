/** The settings that exist here, by the second API: `zitadel.settings.v2.SettingsService`. Nothing is answered that is not so. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { RequestContext } from '@zitadel/proto/zitadel/object/v2/object_pb.js'
import { PasskeysType } from '@zitadel/proto/zitadel/settings/v2/login_settings_pb.js'
import { ResourceOwnerType } from '@zitadel/proto/zitadel/settings/v2/settings_pb.js'
import { SettingsService } from '@zitadel/proto/zitadel/settings/v2/settings_service_pb.js'
import { minCharacters } from '#src/domain/users/passwords.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { assertOurs } from '../organization.ts'
import { organizationDetails, supportedLanguages } from '../projects.ts'

export function settingsHandlers({ catalogue, organizationId, now }: HandlerNeeds) {
  const { method } = SettingsService

  /** Settings with what ZITADEL says about whose they are: they are the same for everybody. */
  async function answered<T extends object>(context: RequestContext | undefined, settings: T) {
    if (context?.resourceOwner.case === 'orgId') assertOurs(context.resourceOwner.value, organizationId())
    const details = organizationDetails(await catalogue.root())
    return { details, settings: { ...settings, resourceOwnerType: ResourceOwnerType.INSTANCE } }
  }

  return [
    handlerOf(method.getGeneralSettings, async () => ({
      defaultOrgId: organizationId(),
      defaultLanguage: supportedLanguages[0],
      supportedLanguages: [...supportedLanguages],
    })),

    handlerOf(method.getLoginSettings, async ({ ctx }) => {
      const { sessionTtlSeconds } = (await catalogue.root()).settings
      return answered(ctx, {
        allowUsernamePassword: true,
        passkeysType: PasskeysType.NOT_ALLOWED,
        hidePasswordReset: true,
        ignoreUnknownUsernames: true,
        passwordCheckLifetime: { seconds: BigInt(sessionTtlSeconds) },
        disableLoginWithPhone: true,
      })
    }),

    handlerOf(method.getPasswordComplexitySettings, ({ ctx }) => answered(ctx, { minLength: BigInt(minCharacters) })),
    // Passwords do not expire, and who fails to sign in has to wait instead of being locked out: zero says so.
    handlerOf(method.getPasswordExpirySettings, ({ ctx }) => answered(ctx, {})),
    handlerOf(method.getLockoutSettings, ({ ctx }) => answered(ctx, {})),
    handlerOf(method.getDomainSettings, ({ ctx }) => answered(ctx, {})),
    handlerOf(method.getLegalAndSupportSettings, ({ ctx }) => answered(ctx, {})),

    handlerOf(method.getActiveIdentityProviders, async ({ ctx }) => {
      await answered(ctx, {})
      return { details: { timestamp: timestampFromDate(now()) } }
    }),

    handlerOf(method.getSecuritySettings, async () => ({
      details: organizationDetails(await catalogue.root()),
      // Whoever was granted a role for it may act for others (token exchange).
      settings: { embeddedIframe: { enabled: false }, enableImpersonation: true },
    })),
  ]
}
