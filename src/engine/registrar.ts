import type { AdapterPayload } from 'oidc-provider'
import { newObjectId } from '#src/base/ids.ts'
import { type Project, registeredProjectId } from '#src/domain/applications/application.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { Recorder } from '#src/domain/audit/recorder.ts'
import { keptSecretOf } from '#src/domain/provisioning/clientSecret.ts'
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
  const rules = { hashSecret, sealSecret }
  const scopeOf = (clientId: string) => ({ projectId: registeredProjectId, clientId })

  /** The project of all of them, for the first. */
  const newProject = (at: Date): Project => ({
    id: registeredProjectId,
    name: 'Registered',
    roles: [],
    projectRoleAssertion: false,
    createdAt: at,
    changedAt: at,
  })

  return {
    /** @throws InvalidClientMetadata */
    async put(clientId: string, metadata: AdapterPayload): Promise<void> {
      const registered = registeredFrom(metadata)
      const at = recorder.now()
      const asNew = { ...registered, id: newObjectId(at), projectId: registeredProjectId, clientId, createdAt: at, changedAt: at }
      assertRegistrable(asNew)
      let secret: string | undefined
      await catalogue.change(scopeOf(clientId), ({ projects, applications: [before] }) => {
        const { kept, made: madeSecret } = keptSecretOf(asNew, before, rules)
        secret = madeSecret
        const { id = asNew.id, provisionedBy, createdAt = at } = before ?? {}
        // What a configuration file has taken on stays the file's.
        const application = { ...asNew, ...kept, id, provisionedBy, createdAt }
        const subject = { kind: 'application', id } as const
        const { name } = application
        return {
          putProjects: projects.some((each) => each.id === registeredProjectId) ? [] : [newProject(at)],
          putApplications: [application],
          events: [
            before
              ? recorder.event('application.changed', system, subject, { fields: Object.keys(registered) })
              : recorder.event('application.created', system, subject, { name, clientId, projectId: registeredProjectId }),
          ],
        }
      })
      if (secret !== undefined) made.set(Provider.ctx as object, secret)
    },

    remove: (clientId: string): Promise<void> =>
      catalogue.change(scopeOf(clientId), ({ applications: [application] }) => {
        if (!application) return undefined
        const event = recorder.event('application.removed', system, { kind: 'application', id: application.id }, { clientId })
        return { removeApplications: [application.id], events: [event] }
      }),
  }
}

export type Registrar = ReturnType<typeof createRegistrar>
