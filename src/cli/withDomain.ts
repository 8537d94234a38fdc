import { userInfo } from 'node:os'
import { CannotStart } from '#src/base/errors.ts'
import { isObjectId } from '#src/base/ids.ts'
import { type Domain, openDomain, storeIsMissing } from '#src/composeDomain.ts'
import type { Actor } from '#src/domain/audit/events.ts'
import { type User, type UserId, UserNotFound } from '#src/domain/users/user.ts'
import { type Configuration, readConfiguration } from '#src/platform/config.ts'
import type { Invocation } from './command.ts'

/** Whoever types the command: the audit trail names them. */
export const actor: Actor = { kind: 'cli', name: operatingSystemUser() }

function operatingSystemUser(): string {
  try {
    return userInfo().username
  } catch {
    // A container may run under a number that has no name.
    return String(process.getuid?.() ?? 'unknown')
  }
}

/**
 * Runs `work` on the configured store, and closes it. A store that is not there is made only for commands that fill one: whoever looks for
 * something in a wrong directory shall be told, and leave no store behind.
 * @throws ConfigurationFaults, CannotStart
 */
export async function withDomain<T>(
  { environment }: Pick<Invocation, 'environment'>,
  work: (domain: Domain, configuration: Configuration) => Promise<T>,
  { mayCreate = false }: { mayCreate?: boolean } = {},
): Promise<T> {
  const configuration = readConfiguration(environment)
  const store = configuration.DOSSIER_STORE
  if (!mayCreate && storeIsMissing(store)) {
    const place = store.kind === 'sqlite' ? store.directory : 'the database'
    throw new CannotStart(
      `there is no store in ${place}: go to the directory that the server runs in, or name the store in DOSSIER_STORE; ` +
        '"dossier serve" and "dossier apply" make a new one',
    )
  }
  const domain = await openDomain(configuration)
  try {
    return await work(domain, configuration)
  } finally {
    await domain.stores.close()
  }
}

/** The user that `text` names: an id, or a username. @throws UserNotFound */
export async function getUser({ users }: Domain, text: string): Promise<User> {
  const byId = isObjectId(text) ? await users.find(text as UserId) : undefined
  const user = byId ?? (await users.findByUsername(text))
  if (!user) throw new UserNotFound(text)
  return user
}
