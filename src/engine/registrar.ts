import type { AdapterPayload } from 'oidc-provider'
import { newObjectId, newSecret } from '#src/base/ids.ts'
import { type Application, isRegistered, type Project, registeredProjectId } from '#src/domain/applications/application.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { Recorder } from '#src/domain/audit/recorder.ts'
import { needsSecret } from '#src/domain/provisioning/application.ts'
import { hashSecret } from '#src/domain/users/secrets.ts'
import { Provider } from './internals.ts'
import { assertRegistrable, registeredFrom } from './registered.ts'

const system = { kind: 'system' } as const

export interface RegistrarDeps {
  readonly catalogue: Catalogue
  readonly recorder: Recorder
  readonly sealSecret: (secret: string, clientId: string) => string
}

/** Secrets by the request that they were made in: they are told in its reply, and kept nowhere. */
const made = new WeakMap<object, string>()

/** The client secret that was made in the request of `ctx`, if one was. */
export const secretMadeIn = (ctx: object): string | undefined => made.get(ctx)

/** Writes what strangers register into the catalogue: applications of the project "Registered". */
export function createRegistrar({ catalogue, recorder, sealSecret }: RegistrarDeps) {
  async function own(clientId: string): Promise<Application | undefined> {
    const application = (await catalogue.find(clientId))?.application
    return application && isRegistered(application) ? application : undefined
  }

  /** The project of all of them; of two that make it at once one has no effect. */
  async function missingProject(at: Date): Promise<readonly Project[]> {
    const there = await catalogue.findProject(registeredProjectId)
    return there
      ? []
      : [{ id: registeredProjectId, name: 'Registered', roles: [], projectRoleAssertion: false, createdAt: at, changedAt: at }]
  }

  /** The secret as it is kept. The one that is there stays; another is made when there is none that suits the way in which it is proved. */
  function secretOf(method: Application['authMethod'], before: Application | undefined, clientId: string) {
    if (!needsSecret(method)) return {}
    const isSealed = method === 'clientSecretJwt'
    const known = isSealed ? before?.clientSecretSealed : before?.clientSecretHash
    if (known !== undefined) return isSealed ? { clientSecretSealed: known } : { clientSecretHash: known }
    const secret = newSecret()
    made.set(Provider.ctx as object, secret)
    return isSealed ? { clientSecretSealed: sealSecret(secret, clientId) } : { clientSecretHash: hashSecret(secret) }
  }

  return {
    /** @throws InvalidClientMetadata */
    async put(clientId: string, metadata: AdapterPayload): Promise<void> {
      const before = await own(clientId)
      const registered = registeredFrom(metadata)
      const at = recorder.now()
      const application: Application = {
        ...registered,
        id: before?.id ?? newObjectId(at),
        projectId: registeredProjectId,
        clientId,
        ...secretOf(registered.authMethod, before, clientId),
        // What a configuration file has taken on stays the file's.
        provisionedBy: before?.provisionedBy,
        createdAt: before?.createdAt ?? at,
        changedAt: at,
      }
      assertRegistrable(application)
      const subject = { kind: 'application', id: application.id } as const
      const { name } = application
      await catalogue.commit({
        putProjects: await missingProject(at),
        putApplications: [application],
        events: [
          before
            ? recorder.event('application.changed', system, subject, { fields: Object.keys(registered) })
            : recorder.event('application.created', system, subject, { name, clientId, projectId: registeredProjectId }),
        ],
      })
    },

    async remove(clientId: string): Promise<void> {
      const application = await own(clientId)
      if (!application) return
      const event = recorder.event('application.removed', system, { kind: 'application', id: application.id }, { clientId })
      await catalogue.commit({ removeApplications: [application.id], events: [event] })
    },
  }
}

export type Registrar = ReturnType<typeof createRegistrar>
