/** Compose, without the server: the domain over a store. The command line loads this and neither engine nor transport. */
import { type Clock, systemClock } from '#src/base/clock.ts'
import { createActions } from '#src/domain/actions/actions.ts'
import { defaultSettings } from '#src/domain/applications/application.ts'
import { createCatalogue } from '#src/domain/applications/catalogue.ts'
import { createRecorder } from '#src/domain/audit/recorder.ts'
import { createKeys } from '#src/domain/keys/keys.ts'
import { createSealer } from '#src/domain/keys/seal.ts'
import { assertAcceptable, createMetadata, metadataLimits } from '#src/domain/metadata/metadata.ts'
import { createLock } from '#src/domain/provisioning/lock.ts'
import { createProvisioning } from '#src/domain/provisioning/provisioning.ts'
import { createEndings } from '#src/domain/sessions/endings.ts'
import { createLoginSessions } from '#src/domain/sessions/loginSessions.ts'
import { createRegistrationTokens } from '#src/domain/sessions/registrationTokens.ts'
import type { Stores } from '#src/domain/stores.ts'
import { createCodes } from '#src/domain/users/codes.ts'
import { assertAcceptablePassword, createPasswords, passwordScheme } from '#src/domain/users/passwords.ts'
import { hashSecret } from '#src/domain/users/secrets.ts'
import { createCheckPassword, createSignIn } from '#src/domain/users/signIn.ts'
import { createThrottle } from '#src/domain/users/throttle.ts'
import { comparable } from '#src/domain/users/user.ts'
import { assertAcceptableUsername, createUsers } from '#src/domain/users/users.ts'
import type { Configuration } from '#src/platform/config.ts'
import { secretInDirectory } from '#src/platform/secret.ts'
import { inspectStores, storesAreMissing } from '#src/storage/inspect.ts'
import { openStores } from '#src/storage/open.ts'

export type { Finding } from '#src/storage/inspect.ts'

export type Domain = ReturnType<typeof composeDomain>

/** The domain over a store. */
export function composeDomain({ stores, secrets, now = systemClock }: { stores: Stores; secrets: readonly string[]; now?: Clock }) {
  const recorder = createRecorder({ now })
  const sealer = createSealer(secrets)
  const passwords = createPasswords()
  const endings = createEndings({ artifacts: stores.artifacts, now })
  const throttle = createThrottle({ store: stores.attempts, now })
  const users = createUsers({
    store: stores.users,
    tokens: stores.tokens,
    passwords,
    recorder,
    endSessions: endings.endAll,
    forgiveFailures: throttle.forgive,
  })
  const metadata = createMetadata({ store: stores.metadata, recorder })
  const catalogue = createCatalogue({ store: stores.catalogue, recorder })
  const keys = createKeys({ store: stores.keys, sealer, recorder })
  return {
    now,
    stores,
    sealer,
    recorder,
    users,
    metadata,
    catalogue,
    keys,
    throttle,
    endings,
    registrationTokens: createRegistrationTokens({ artifacts: stores.artifacts, recorder, hash: hashSecret }),
    actions: createActions({ store: stores.actions, recorder, seal: sealer.seal, unseal: sealer.open }),
    loginSessions: createLoginSessions({ artifacts: stores.artifacts, hash: hashSecret, now }),
    codes: createCodes({ artifacts: stores.artifacts, now }),
    checkPassword: createCheckPassword({ passwords, throttle, audit: stores.audit, recorder }),
    signIn: createSignIn({ users, passwords, throttle, audit: stores.audit, recorder }),
    provisioning: createProvisioning({
      catalogue,
      users,
      metadata,
      keys,
      passwords,
      recorder,
      exclusively: createLock({ store: stores.artifacts, now }),
      rules: {
        defaultSettings,
        hashSecret,
        sealSecret: (secret, clientId, before) =>
          before && sealer.holds(before, clientId, secret) ? before : sealer.seal(secret, clientId),
        comparable,
        metadataLimits,
        assertMetadata: assertAcceptable,
        assertUsername: assertAcceptableUsername,
        assertPassword: assertAcceptablePassword,
        assertPasswordHash: passwordScheme,
      },
    }),
  }
}

/** Opens the configured store with the domain over it; `close` it when done. @throws CannotStart */
export async function openDomain(
  configuration: Pick<Configuration, 'DOSSIER_STORE' | 'DOSSIER_SECRET'>,
  now: Clock = systemClock,
): Promise<Domain> {
  const address = configuration.DOSSIER_STORE
  const stores = await openStores(address, { now })
  try {
    const secrets = configuration.DOSSIER_SECRET ?? (address.kind === 'sqlite' ? [secretInDirectory(address.directory)] : [])
    const domain = composeDomain({ stores, secrets, now })
    await domain.catalogue.bootstrap()
    return domain
  } catch (error) {
    await stores.close()
    throw error
  }
}

/** Whether the first `openDomain` would make the store. */
export const storeIsMissing = storesAreMissing

/** What there is to say about the configured store, without opening it for use: nothing is made, migrated or written. */
export const inspectStore = inspectStores
