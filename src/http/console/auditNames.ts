import { reservedClientIds } from '#src/domain/applications/builtIn.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { Apps } from '#src/domain/apps/apps.ts'
import type { AuditEvent, Subject } from '#src/domain/audit/events.ts'
import type { UserBrowsing } from '#src/domain/users/browse.ts'
import type { UserId } from '#src/domain/users/user.ts'
import type { Visit } from '../kit/area.ts'
import { nameOf } from './user.ts'

export interface AuditNamesNeeds {
  readonly catalogue: Pick<Catalogue, 'root' | 'find' | 'findById'>
  readonly apps: Pick<Apps, 'list'>
  readonly browsing: Pick<UserBrowsing, 'findAll'>
}

/** Somebody or something in the trail: by a name while it is there, with a page while there is one. */
export interface NamedRecord {
  readonly id?: string
  readonly name?: string
  readonly href?: string
}

type Names = ReadonlyMap<string, NamedRecord>

/** Whoever and whatever some events are about, looked up together; the visitor is told the names that they may see anyway. */
export async function namesIn(events: readonly AuditEvent[], visit: Visit, needs: AuditNamesNeeds) {
  const { t } = visit.texts
  const subjects = events.map(({ subject }) => subject)
  const idsOf = (kind: Subject['kind']) => [...new Set(subjects.filter((each) => each.kind === kind).map(({ id }) => id))]
  const userIds = new Set([...idsOf('user'), ...events.flatMap(({ actor }) => (actor.kind === 'user' ? [actor.id] : []))])
  const [users, applications, apps, { organization, projects }] = await Promise.all([
    visit.may('user.read') ? usersOf([...userIds], needs) : none,
    visit.may('project.app.read') ? applicationsOf(idsOf('application'), needs) : none,
    visit.may('iam.read') && idsOf('app').length > 0 ? appsOf(needs) : none,
    needs.catalogue.root(),
  ])

  function recordOf({ kind, id }: Subject): NamedRecord {
    switch (kind) {
      case 'user':
        return users.get(id) ?? { id }
      case 'application':
        return applications.get(id) ?? { id }
      case 'app':
        return apps.get(id) ?? { id }
      case 'project': {
        const project = visit.may('project.read') ? projects.get(id) : undefined
        return project ? { id, name: project.name, href: `/console/projects/${encodeURIComponent(id)}` } : { id }
      }
      case 'organization':
        return { name: organization.name, ...(visit.may('iam.policy.read') && { href: '/console/settings' }) }
      case 'settings':
        return visit.may('iam.policy.read') ? { name: t('console.sections.settings'), href: '/console/settings' } : {}
      default:
        return { id }
    }
  }

  return {
    actorOf({ actor }: AuditEvent): NamedRecord {
      if (actor.kind === 'system') return { name: t('consoleUsers.history.system') }
      if (actor.kind === 'cli') return { name: t('consoleUsers.history.cli', { name: actor.name }) }
      return recordOf(actor)
    },
    subjectOf: ({ subject }: AuditEvent): NamedRecord => recordOf(subject),
  }
}

const none: Names = new Map()

async function usersOf(ids: readonly string[], { browsing }: AuditNamesNeeds): Promise<Names> {
  const found = ids.length === 0 ? [] : await browsing.findAll(ids as readonly UserId[])
  return new Map(found.map((user) => [user.id, { id: user.id, name: nameOf(user), href: `/console/users/${user.id}` }]))
}

/** Of tokens that belong to no user an event names the client id. The program's own applications have no page. */
async function applicationsOf(ids: readonly string[], { catalogue }: AuditNamesNeeds): Promise<Names> {
  const found = await Promise.all(
    ids.map(async (id) => {
      const application = (await catalogue.findById(id)) ?? (await catalogue.find(id))?.application
      if (!application) return [id, { id }] as const
      const href = reservedClientIds.includes(application.clientId)
        ? undefined
        : `/console/applications/${encodeURIComponent(application.id)}`
      return [id, { id, name: application.name, ...(href !== undefined && { href }) }] as const
    }),
  )
  return new Map(found)
}

const appsOf = async ({ apps }: AuditNamesNeeds): Promise<Names> =>
  new Map((await apps.list()).map(({ app: { id, name } }) => [id, { id, name, href: `/console/apps/${encodeURIComponent(id)}` }]))
