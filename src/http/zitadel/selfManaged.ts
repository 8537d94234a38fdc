import { mayManage } from '#src/domain/accounts/profile.ts'
import type { ProfileField } from '#src/domain/applications/application.ts'
import { refusalOf } from './access.ts'
import type { Caller } from './authenticate.ts'
import type { UsersNeeds } from './users.ts'

/** Whoever does not manage users changes of their own profile what the settings let them. @throws StatusError 403 */
export async function assertSelfManaged(
  { catalogue }: Pick<UsersNeeds, 'catalogue'>,
  caller: Caller,
  fields: readonly ProfileField[],
): Promise<void> {
  if (caller.may('user.write')) return
  const { settings } = await catalogue.root()
  if (!fields.every((field) => mayManage(settings, field))) throw refusalOf(caller)
}
