/** Accounts over a new store, with a clock that is set and mail in a folder. */
import { composeAccounts } from '#src/composeAccounts.ts'
import { composeDomain } from '#src/composeDomain.ts'
import type { RegistrationForm } from '#src/domain/accounts/registration.ts'
import type { Settings } from '#src/domain/applications/application.ts'
import type { EventType } from '#src/domain/audit/events.ts'
import type { NewUser } from '#src/domain/users/users.ts'
import { createMessages } from '#src/http/kit/messages.ts'
import { readConfiguration } from '#src/platform/config.ts'
import { openStores } from '#src/storage/open.ts'
import { messagesIn } from '../../support/messages.ts'
import type { TestStore } from '../../support/stores.ts'
import { tempDir } from '../../support/temp.ts'

export const password = 'a test password'
export const system = { kind: 'system' } as const
/** What the browser has that a form comes from. */
export const browser = 'what this browser has'
export const from = (last: number) => ({ address: `192.0.2.${last}`, browser })

export async function openPlace({ make }: TestStore, given: Partial<Settings> = {}, environment: Readonly<Record<string, string>> = {}) {
  const store = make()
  const directory = tempDir()
  const configuration = readConfiguration({
    DOSSIER_STORE: store,
    DOSSIER_SECRET: 'a secret for tests of more than 32 bytes',
    DOSSIER_MAIL_DIRECTORY: directory,
    ...environment,
  })
  let at = new Date('2027-01-01T12:00:00Z').getTime()
  const now = () => new Date(at)
  const stores = await openStores(configuration.DOSSIER_STORE, { now })
  const domain = composeDomain({ stores, secrets: configuration.DOSSIER_SECRET ?? [], now })
  await domain.catalogue.bootstrap()
  const faults: unknown[] = []
  const accounts = composeAccounts({
    configuration,
    domain,
    messages: createMessages(),
    outboundFetch: fetch,
    isAdministrator: ({ admin }) => admin,
    onFault: (error) => void faults.push(error),
  })
  const set = async (changes: Partial<Settings>) => {
    const { settings } = await domain.catalogue.root()
    await domain.catalogue.commit({ settings: { ...settings, ...changes }, events: [] })
  }
  await set({ registration: 'open', ...given })

  return {
    ...accounts,
    domain,
    users: domain.users,
    set,
    faults,
    pass: (seconds: number) => {
      at += seconds * 1000
    },
    now,
    /** The messages so far, the newest last. */
    async messages() {
      await accounts.settled()
      return messagesIn(directory)
    },
    /** The secret of the link in the newest message. */
    async link() {
      await accounts.settled()
      const found = /[?&]link=([\w-]+)/.exec(messagesIn(directory).at(-1) ?? '')?.[1]
      if (!found) throw new Error('there is no message with a link')
      return found
    },
    person: (username: string, changes: Partial<NewUser> = {}) =>
      domain.users.create(
        { kind: 'human', username, password, profile: { email: `${username}@acme.example`, emailVerified: true }, ...changes },
        system,
      ),
    async eventsOf(id: string): Promise<readonly EventType[]> {
      return (await stores.audit.list({ kind: 'user', id }, { limit: 50 })).map(({ type }) => type)
    },
    async [Symbol.asyncDispose]() {
      await accounts.settled()
      await stores.close()
    },
  }
}

export const form = (changes: Partial<RegistrationForm> = {}): RegistrationForm => ({
  username: '',
  email: 'new@acme.example',
  givenName: 'Nora',
  familyName: 'Newman',
  password,
  fields: {},
  browser,
  ...changes,
})

/** What a promise is refused with. */
export const refusal = (work: Promise<unknown>): Promise<{ code?: string; faults?: unknown; retryAfterSeconds?: number }> =>
  work.then(
    () => ({}),
    (error) => error,
  )
