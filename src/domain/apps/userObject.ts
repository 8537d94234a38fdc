import type { User } from '../users/user.ts'
import { dataOfUser } from './identities.ts'

/** A user as functions, rules and triggers know them (contracts/app-services.md, section 2). */
export interface AppUser {
  readonly id: string
  /** `server` came by a server API key; `system` is nobody: rules do not apply. */
  readonly type: 'normal' | 'server' | 'system'
  readonly data: Readonly<Record<string, unknown>>
  /** The whole document of custom user data, with its BSON types; `{}` without one. */
  readonly custom_data: Readonly<Record<string, unknown>>
  readonly identities: readonly { readonly id: string; readonly provider_type: string; readonly data?: Readonly<Record<string, unknown>> }[]
}

export const systemUser: AppUser = { id: '', type: 'system', data: {}, custom_data: {}, identities: [] }

/** `user` as the app of that id knows them. A `name` in the document is their display name. */
export function userObjectOf(
  user: Pick<User, 'id' | 'kind' | 'identities'>,
  app: string,
  customData: Readonly<Record<string, unknown>> = {},
): AppUser {
  const identities = (user.identities ?? []).filter((each) => each.app === app)
  return {
    id: user.id,
    type: user.kind === 'machine' ? 'server' : 'normal',
    data: dataOfUser(identities),
    custom_data: customData,
    identities: identities.map(({ id, provider, data }) => ({ id, provider_type: provider, data })),
  }
}
