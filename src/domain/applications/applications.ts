/**
 * Applications as somebody who manages them changes them. What is right for an application is for the configuration file's rules to say: what is written here is what an
 * `apply` of its `export` would write.
 */
import { newObjectId } from '#src/base/ids.ts'
import type { Actor } from '../audit/events.ts'
import type { Recorder } from '../audit/recorder.ts'
import type { Application } from './application.ts'
import { applicationKeyOf, type NewApplicationKey } from './applicationKeys.ts'
import { differing } from './differing.ts'
import {
  ApplicationIdTaken,
  ApplicationInvalid,
  ApplicationKeyNotFound,
  ApplicationNameTaken,
  ApplicationNotActive,
  ApplicationNotFound,
  ApplicationNotInactive,
  ApplicationWithoutSecret,
  ProjectFixed,
  ProjectNotFound,
} from './failures.ts'
import type { CatalogueRoot, CatalogueStore } from './store.ts'

type KeptSecret = Pick<Application, 'clientSecretHash' | 'clientSecretSealed'>

/** What may be said of an application; ids, the secret and the times are made. */
export type ApplicationWish = Omit<
  Application,
  'id' | 'projectId' | 'clientId' | 'clientSecretHash' | 'clientSecretSealed' | 'active' | 'provisionedBy' | 'createdAt' | 'changedAt'
>

export interface ApplicationsDeps {
  readonly store: Pick<CatalogueStore, 'change' | 'findApplicationById'>
  readonly root: () => Promise<Pick<CatalogueRoot, 'ownProjectId'>>
  readonly recorder: Recorder
  /** The application as the configuration file has it, and what its rules refuse about it that was another one `before`, a sentence each. */
  readonly asFiled: (
    application: Application,
    before?: Application,
  ) => { readonly application: Application; readonly faults: readonly string[] }
  /** The secret as it is kept: the one before where that suits, otherwise one that is made. */
  readonly keptSecretOf: (
    application: Pick<Application, 'authMethod' | 'clientId'>,
    before: KeptSecret | undefined,
  ) => { readonly kept: KeptSecret; readonly made?: string }
  readonly newKey: () => Promise<NewApplicationKey>
}

/** An application as it was written, with its secret where one was made: it is told this once. */
export interface Written {
  readonly application: Application
  readonly clientSecret?: string
}

export type Applications = ReturnType<typeof createApplications>

const mostKeys = 50

export function createApplications({ store, root, recorder, asFiled, keptSecretOf, newKey }: ApplicationsDeps) {
  const about = (id: string) => ({ kind: 'application', id }) as const

  function filed(wanted: Application, before?: Application): Application {
    const { application, faults } = asFiled(wanted, before)
    if (faults.length > 0) throw new ApplicationInvalid(...faults)
    return application
  }

  /** The application of an id; with a project, only if it belongs to that. @throws ApplicationNotFound */
  async function get(id: string, projectId?: string): Promise<Application> {
    const found = await store.findApplicationById(id)
    if (!found || (projectId !== undefined && found.projectId !== projectId)) throw new ApplicationNotFound(id)
    return found
  }

  /**
   * The application as `next` makes it, written when that is another one. `isRenamed` looks at the others of the project too.
   * @throws ApplicationNotFound, ApplicationInvalid, ApplicationNameTaken
   */
  async function edit(
    id: string,
    actor: Actor,
    next: (current: Application, others: readonly Application[]) => Application,
    isRenamed = false,
  ): Promise<Application> {
    const { clientId, projectId } = await get(id)
    let after: Application | undefined
    await store.change({ projectId, ...(!isRenamed && { clientId }) }, ({ applications }) => {
      const current = applications.find((each) => each.id === id)
      if (!current) throw new ApplicationNotFound(id)
      after = next(current, applications)
      const fields = differing(current, after)
      if (fields.length === 0) return undefined
      after = { ...after, changedAt: recorder.now() }
      return { putApplications: [after], events: [recorder.event('application.changed', actor, about(id), { fields })] }
    })
    return after as Application
  }

  return {
    get,

    /** A new application of a project. @throws ProjectNotFound, ProjectFixed, ApplicationInvalid, ApplicationNameTaken, ApplicationIdTaken */
    async create(projectId: string, { id, ...wish }: ApplicationWish & { readonly id?: string }, actor: Actor): Promise<Written> {
      const { ownProjectId } = await root()
      if (projectId === ownProjectId) throw new ProjectFixed()
      const at = recorder.now()
      const clientId = newObjectId(at)
      const wanted = { ...wish, id: id ?? newObjectId(at), projectId, clientId, active: true, createdAt: at, changedAt: at }
      if (id !== undefined && (await store.findApplicationById(id))) throw new ApplicationIdTaken(id)
      const { kept, made } = keptSecretOf(wanted, undefined)
      const application = { ...filed(wanted), ...kept }
      const { name } = application
      await store.change({ projectId }, ({ projects, applications }) => {
        if (!projects.some((each) => each.id === projectId)) throw new ProjectNotFound(projectId)
        if (applications.some((each) => each.id === application.id)) throw new ApplicationIdTaken(application.id)
        assertNameFree(application, applications)
        return {
          putApplications: [application],
          events: [recorder.event('application.created', actor, about(application.id), { name, clientId, projectId })],
        }
      })
      return { application, ...(made !== undefined && { clientSecret: made }) }
    },

    /**
     * Makes the application what `wish` says of it, which is pure and may be asked again. A secret is made where the way to prove who it is needs another.
     * @throws ApplicationNotFound, ApplicationInvalid, ApplicationNameTaken
     */
    async change(id: string, wish: (current: Application) => Partial<ApplicationWish>, actor: Actor): Promise<Written> {
      const before = await get(id)
      const first = wish(before)
      let clientSecret: string | undefined
      const application = await edit(
        id,
        actor,
        (current, others) => {
          const wanted = { ...current, ...wish(current) }
          const { kept, made } = keptSecretOf(wanted, current)
          clientSecret = made
          const after = { ...filed(wanted, current), ...kept }
          if (after.name !== current.name) assertNameFree(after, others)
          return after
        },
        first.name !== undefined,
      )
      return { application, ...(clientSecret !== undefined && { clientSecret }) }
    },

    /** A new client secret in place of the one before, which is told this once. @throws ApplicationNotFound, ApplicationWithoutSecret */
    async regenerateSecret(id: string, actor: Actor): Promise<Required<Written>> {
      let clientSecret: string | undefined
      const application = await edit(id, actor, (current) => {
        const { kept, made } = keptSecretOf(current, undefined)
        if (made === undefined) throw new ApplicationWithoutSecret()
        clientSecret = made
        return { ...current, ...kept }
      })
      return { application, clientSecret: clientSecret as string }
    },

    /** @throws ApplicationNotFound, ApplicationNotActive */
    deactivate: (id: string, actor: Actor): Promise<Application> =>
      edit(id, actor, (current) => {
        if (!current.active) throw new ApplicationNotActive()
        return { ...current, active: false }
      }),

    /** @throws ApplicationNotFound, ApplicationNotInactive */
    reactivate: (id: string, actor: Actor): Promise<Application> =>
      edit(id, actor, (current) => {
        if (current.active) throw new ApplicationNotInactive()
        return { ...current, active: true }
      }),

    /** What was issued to it works no more. @throws ApplicationNotFound */
    async remove(id: string, actor: Actor): Promise<void> {
      const { clientId, projectId } = await get(id)
      await store.change({ projectId, clientId }, ({ applications: [current] }) => {
        if (current?.id !== id) throw new ApplicationNotFound(id)
        return { removeApplications: [id], events: [recorder.event('application.removed', actor, about(id), { clientId })] }
      })
    },

    /** A new key pair: the public half is kept, the private one is told this once. @throws ApplicationNotFound, ApplicationInvalid */
    async addKey(
      id: string,
      actor: Actor,
    ): Promise<{ readonly application: Application; readonly keyId: string; readonly privatePem: string }> {
      const { publicJwk, privatePem } = await newKey()
      const keyId = newObjectId(recorder.now())
      const application = await edit(id, actor, (current) => {
        if (current.jwksUri !== undefined) throw new ApplicationInvalid('jwksUri: the keys of the application are fetched from there')
        const { keys = [] } = current.jwks ?? {}
        if (keys.length >= mostKeys) throw new ApplicationInvalid(`jwks: has ${mostKeys} keys, which is the most: remove one`)
        return filed({ ...current, jwks: { keys: [...keys, { ...publicJwk, kid: keyId, use: 'sig', alg: 'RS256' }] } }, current)
      })
      return { application, keyId, privatePem }
    },

    /** @throws ApplicationNotFound, ApplicationKeyNotFound */
    removeKey: (id: string, keyId: string, actor: Actor): Promise<Application> =>
      edit(id, actor, (current) => {
        const keys = current.jwks?.keys ?? []
        const rest = keys.filter((key) => applicationKeyOf(key)?.id !== keyId)
        if (rest.length === keys.length) throw new ApplicationKeyNotFound(keyId)
        return filed({ ...current, jwks: { keys: rest } }, current)
      }),
  }
}

function assertNameFree({ id, name }: Application, others: readonly Application[]): void {
  if (others.some((each) => each.id !== id && each.name === name)) throw new ApplicationNameTaken(name)
}
