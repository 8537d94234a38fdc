/** A running Dossier for tests: a real server on a real port over a real store, with the steps that a browser would take. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Clock } from '#src/base/clock.ts'
import { systemClock } from '#src/base/clock.ts'
import { newSecret } from '#src/base/ids.ts'
import { composeService, type Domain, openDomain } from '#src/compose.ts'
import type { Application } from '#src/domain/applications/application.ts'
import type { Actor } from '#src/domain/audit/events.ts'
import { hashSecret } from '#src/domain/users/secrets.ts'
import type { NewUser } from '#src/domain/users/users.ts'
import { readConfiguration } from '#src/platform/config.ts'
import { createLog } from '#src/platform/log.ts'
import { Browser } from './browser.ts'
import { freePort } from './ports.ts'
import * as records from './records.ts'
import { tempDir } from './temp.ts'

const actor: Actor = { kind: 'system' }
export const password = 'a test password'

export interface IdpOptions {
  /** Where to keep things: a new SQLite directory when left out. */
  readonly store?: string
  readonly now?: Clock
  readonly environment?: Readonly<Record<string, string>>
}

export type Idp = Awaited<ReturnType<typeof startIdp>>

/** Starts a server with a project, three applications of it and a person called Jane, who has metadata. */
export async function startIdp({ store = `sqlite:${tempDir()}`, now = systemClock, environment = {} }: IdpOptions = {}) {
  const port = await freePort()
  const configuration = readConfiguration({
    DOSSIER_ISSUER: `http://localhost:${port}`,
    DOSSIER_STORE: store,
    DOSSIER_SECRET: 'a secret for tests of more than 32 bytes',
    ...environment,
  })
  const log: string[] = []
  const domain = await openDomain(configuration, now)
  const service = await composeService(
    configuration,
    domain,
    createLog('debug', {
      write: (line: string) => {
        log.push(line)
        if (process.env.SHOW_LOG) process.stderr.write(line)
      },
    }),
  )
  service.server.listen(configuration.DOSSIER_ISSUER.startsWith('https:') ? 0 : configuration.port, 'localhost')
  await once(service.server, 'listening')
  const issuer = configuration.DOSSIER_ISSUER
  const seeded = await seed(domain)

  return {
    ...seeded,
    issuer,
    /** Where it listens, which behind a proxy is not where its issuer points. */
    port: (service.server.address() as AddressInfo).port,
    domain,
    /** The addresses of console, account and playground. */
    pages: service.pages,
    /** Every line that the server has logged. */
    log,
    url: (path: string) => new URL(path, issuer),
    browser: () => new Browser(issuer),
    async [Symbol.asyncDispose]() {
      service.server.closeAllConnections()
      service.server.close()
      await service.finish()
      await domain.stores.close()
    },
  }
}

/** What most tests need. Ids and names are new in each store, so that several servers may share one. */
export async function seed({ catalogue, users }: Domain) {
  const project = records.project({ roles: [{ key: 'reader' }, { key: 'writer' }] })
  const secret = newSecret()
  const application = (given: Partial<Application>) => records.application({ projectId: project.id, ...given })
  const web = application({ name: 'web', clientSecretHash: hashSecret(secret) })
  const spa = application({ name: 'spa', type: 'userAgent', authMethod: 'none', redirectUris: ['http://localhost:5173/callback'] })
  const native = application({
    name: 'native',
    type: 'native',
    authMethod: 'none',
    firstParty: false,
    redirectUris: ['http://127.0.0.1/callback'],
  })
  await catalogue.commit({ putProjects: [project], putApplications: [web, spa, native], events: [] })
  const jane = await users.create(person({ roles: { [project.id]: ['reader'] } }), actor)
  return { project, web, spa, native, secret, jane }
}

/** A person with every standard claim and some metadata; `changes` replace fields. */
export function person(changes: Partial<NewUser> = {}): NewUser {
  return {
    kind: 'human',
    username: `jane-${newSecret().slice(0, 8)}`,
    password,
    profile: {
      givenName: 'Jane',
      familyName: 'Doe',
      nickName: 'JD',
      gender: 'female',
      locale: 'en',
      email: 'jane@acme.example',
      emailVerified: true,
      phone: '+41 44 000 00 00',
      phoneVerified: false,
      address: { formatted: 'Main Street 1, 8000 Zurich', locality: 'Zurich' },
    },
    metadata: [{ key: 'ContractNumber', value: Buffer.from('1234') }],
    ...changes,
  }
}
