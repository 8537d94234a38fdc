/** Compose, without the server: the domain over a store. The command line loads this and neither engine nor transport. */
import { type Clock, systemClock } from '#src/base/clock.ts'
import { CannotStart, DomainError } from '#src/base/errors.ts'
import { createActions } from '#src/domain/actions/actions.ts'
import { defaultSettings } from '#src/domain/applications/application.ts'
import { createApplications } from '#src/domain/applications/applications.ts'
import { createCatalogue } from '#src/domain/applications/catalogue.ts'
import { manages } from '#src/domain/applications/managing.ts'
import { createProjects } from '#src/domain/applications/projects.ts'
import { createApps } from '#src/domain/apps/apps.ts'
import { userObjectOf } from '#src/domain/apps/userObject.ts'
import { createFollowing } from '#src/domain/audit/following.ts'
import { createRecorder } from '#src/domain/audit/recorder.ts'
import { createSignInStatistics } from '#src/domain/audit/signInStatistics.ts'
import { createTrail } from '#src/domain/audit/trail.ts'
import { createKeys } from '#src/domain/keys/keys.ts'
import { createSealer } from '#src/domain/keys/seal.ts'
import { assertAcceptable, createMetadata, metadataLimits } from '#src/domain/metadata/metadata.ts'
import { keptSecretOf } from '#src/domain/provisioning/clientSecret.ts'
import { applicationAsFiled, faultsOfProject } from '#src/domain/provisioning/filed.ts'
import { createProvisioning } from '#src/domain/provisioning/provisioning.ts'
import { createEndings } from '#src/domain/sessions/endings.ts'
import { createLock } from '#src/domain/sessions/lock.ts'
import { createLoginSessions } from '#src/domain/sessions/loginSessions.ts'
import { createRegistrationTokens } from '#src/domain/sessions/registrationTokens.ts'
import type { Stores } from '#src/domain/stores.ts'
import { createLastRuns } from '#src/domain/triggers/lastRuns.ts'
import { createLeavers } from '#src/domain/triggers/leavers.ts'
import { createTasks } from '#src/domain/triggers/tasks.ts'
import { triggeringEvents } from '#src/domain/triggers/trigger.ts'
import { createUserBrowsing } from '#src/domain/users/browse.ts'
import { createCodes } from '#src/domain/users/codes.ts'
import { createGrants } from '#src/domain/users/grants.ts'
import { newMachineKeyPair } from '#src/domain/users/machineKeys.ts'
import { assertAcceptablePassword, createPasswords, passwordScheme } from '#src/domain/users/passwords.ts'
import { hashSecret } from '#src/domain/users/secrets.ts'
import { createCheckPassword, createSignIn } from '#src/domain/users/signIn.ts'
import { createThrottle } from '#src/domain/users/throttle.ts'
import { assertAcceptableProfile, comparable, UserInvalid } from '#src/domain/users/user.ts'
import { assertAcceptableUsername, createUsers } from '#src/domain/users/users.ts'
import { toldEvents } from '#src/http/zitadel/action/events.ts'
import type { Configuration } from '#src/platform/config.ts'
import { secretInDirectory, secretIsMissing } from '#src/platform/secret.ts'
import { type Finding, inspectStores, sealedKeysIn, storesAreMissing } from '#src/storage/inspect.ts'
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
  const following = {
    actions: createFollowing({ ...stores, id: 'actions', types: toldEvents }),
    triggers: createFollowing({ ...stores, id: 'triggers', types: triggeringEvents }),
  }
  const apps = createApps({
    store: stores.apps,
    revision: stores.catalogue.revision,
    recorder,
    beginTriggers: following.triggers.begin,
    seal: sealer.seal,
    unseal: sealer.open,
  })
  const leavers = createLeavers({ apps, artifacts: stores.artifacts, userObject: userObjectOf, now })
  const users = createUsers({
    store: stores.users,
    tokens: stores.tokens,
    passwords,
    recorder,
    endSessions: endings.endAll,
    async becomesManager(before, after) {
      const { ownProjectId } = await catalogue.root()
      return !manages(before, ownProjectId) && manages(after, ownProjectId)
    },
    onLeaving: leavers.keep,
    forgiveFailures: throttle.forgive,
  })
  const lock = createLock({ store: stores.artifacts, now })
  const metadata = createMetadata({ store: stores.metadata, recorder })
  const catalogue = createCatalogue({ store: stores.catalogue, recorder })
  const keys = createKeys({ store: stores.keys, sealer, recorder, exclusively: lock })
  const secretRules = {
    hashSecret,
    sealSecret: (secret: string, clientId: string, before?: string) =>
      before && sealer.holds(before, clientId, secret) ? before : sealer.seal(secret, clientId),
  }
  const grants = createGrants({
    users,
    findProject: catalogue.findProject,
    listProjects: async () => [...(await catalogue.root()).projects.values()],
  })
  return {
    now,
    stores,
    sealer,
    recorder,
    users,
    browsing: createUserBrowsing({ store: stores.users, sealer }),
    trail: createTrail({ store: stores.audit, sealer }),
    signInStatistics: createSignInStatistics({ store: stores.audit, now }),
    passwords,
    lock,
    metadata,
    catalogue,
    keys,
    grants,
    following,
    apps,
    leavers,
    triggerTasks: createTasks(stores),
    triggerRuns: createLastRuns({ artifacts: stores.artifacts, now }),
    projects: createProjects({ store: stores.catalogue, root: catalogue.root, recorder, faultsOf: faultsOfProject, revoke: grants.revoke }),
    applications: createApplications({
      store: stores.catalogue,
      root: catalogue.root,
      recorder,
      asFiled: applicationAsFiled,
      keptSecretOf: (application, before) => keptSecretOf(application, before, secretRules),
      newKey: newMachineKeyPair,
    }),
    throttle,
    endings,
    registrationTokens: createRegistrationTokens({ artifacts: stores.artifacts, audit: stores.audit, recorder, hash: hashSecret }),
    actions: createActions({
      store: stores.actions,
      recorder,
      beginTelling: following.actions.begin,
      seal: sealer.seal,
      unseal: sealer.open,
    }),
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
      exclusively: lock,
      rules: {
        defaultSettings,
        ...secretRules,
        comparable,
        metadataLimits,
        assertMetadata: assertAcceptable,
        assertUsername: assertAcceptableUsername,
        assertProfile: assertAcceptableProfile,
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
    const secrets = configuration.DOSSIER_SECRET ?? (address.kind === 'sqlite' ? [await ownSecret(address.directory, stores)] : [])
    const domain = composeDomain({ stores, secrets, now })
    await domain.catalogue.bootstrap()
    return domain
  } catch (error) {
    await stores.close()
    throw error
  }
}

/** The secret that an embedded store keeps for itself; it is made with the first key, and never in place of one that is lost. @throws CannotStart */
async function ownSecret(directory: string, { keys }: Stores): Promise<string> {
  if (secretIsMissing(directory) && (await keys.list()).length > 0) {
    throw new CannotStart(
      `${directory}/secret is missing, which sealed the signing keys of this store; restore it from a backup, or set DOSSIER_SECRET to what it held.`,
    )
  }
  return secretInDirectory(directory)
}

/** Whether the first `openDomain` would make the store. */
export const storeIsMissing = storesAreMissing

/**
 * What there is to say about the configured store, without opening it for use: nothing is made, migrated or written. The signing keys are opened, which is what a start
 * with another secret fails at.
 */
export async function inspectStore(
  { DOSSIER_STORE: address, DOSSIER_SECRET: given }: Pick<Configuration, 'DOSSIER_STORE' | 'DOSSIER_SECRET'>,
  now: Date,
): Promise<readonly Finding[]> {
  const findings = await inspectStores(address, now)
  if (findings.some(({ status }) => status === 'failed')) return findings
  const sealed = await sealedKeysIn(address)
  if (sealed.length === 0) return findings
  try {
    const own = address.kind === 'sqlite' ? address.directory : undefined
    if (!given && own !== undefined && secretIsMissing(own))
      throw new CannotStart(`${own}/secret is missing, which sealed the signing keys of this store`)
    const sealer = createSealer(given ?? (own === undefined ? [] : [secretInDirectory(own)]))
    for (const key of sealed) sealer.open(key.sealed, key.kid)
    return [...findings, { name: 'signing keys', status: 'ok', detail: 'the secret opens them' }]
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    return [...findings, { name: 'signing keys', status: 'failed', detail: error.message }]
  }
}

/** What is wrong with the administrator that a first start would make, by the names of variables. */
export function administratorFaults({
  DOSSIER_ADMIN_USERNAME: username,
  DOSSIER_ADMIN_PASSWORD: password,
}: Pick<Configuration, 'DOSSIER_ADMIN_USERNAME' | 'DOSSIER_ADMIN_PASSWORD'>): readonly string[] {
  const faultOf = (variable: string, example: string, check: () => void): readonly string[] => {
    try {
      check()
      return []
    } catch (error) {
      if (!(error instanceof UserInvalid)) throw error
      return [`${variable}: ${error.message.replace(/^\w+: /, '')}, for example ${example}`]
    }
  }
  return [
    ...faultOf('DOSSIER_ADMIN_USERNAME', 'admin', () => assertAcceptableUsername(username)),
    ...(password === undefined
      ? []
      : faultOf('DOSSIER_ADMIN_PASSWORD', 'a sentence of four words', () => assertAcceptablePassword(password))),
  ]
}
