/** `/console`: what is running, how many there are, sign-ins of the last days, and what needs attention. */
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { Apps } from '#src/domain/apps/apps.ts'
import type { SignInsOfDay } from '#src/domain/audit/signInStatistics.ts'
import type { Keys } from '#src/domain/keys/keys.ts'
import type { Tasks } from '#src/domain/triggers/tasks.ts'
import type { UserBrowsing } from '#src/domain/users/browse.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { chartOf } from './chart.ts'

export interface OverviewNeeds {
  readonly catalogue: Pick<Catalogue, 'root' | 'listProjects' | 'listApplications'>
  readonly browsing: Pick<UserBrowsing, 'count'>
  readonly signInStatistics: () => Promise<readonly SignInsOfDay[]>
  readonly keys: Pick<Keys, 'list'>
  readonly apps: Pick<Apps, 'list'>
  readonly triggerTasks: Pick<Tasks, 'listDead'>
  /** Of the program, the store and the clock. */
  readonly running: {
    readonly version: string
    readonly node: string
    readonly store: string
    readonly issuer: string
    readonly sendsMail: boolean
  }
  readonly now: () => Date
}

/** Something to look at, as a key in `console.json` after `attention.`, with where to do something about it. */
interface Attention {
  readonly text: string
  readonly facts?: Readonly<Record<string, string | number>>
  readonly href?: string
}

export function overviewPages(needs: OverviewNeeds): readonly AreaPage[] {
  const { catalogue, browsing, signInStatistics, keys, running, now } = needs

  async function countsOf(visit: Visit) {
    const projects = visit.may('project.read') ? await catalogue.listProjects() : undefined
    const applications = projects && (await Promise.all(projects.map(({ id }) => catalogue.listApplications(id)))).flat()
    return {
      users: visit.may('user.read') ? await browsing.count() : undefined,
      // Dossier's own is none of theirs.
      projects: projects && projects.length - 1,
      applications: applications?.length,
    }
  }

  async function show(visit: Visit): Promise<void> {
    const seesAll = visit.may('events.read')
    const [counts, days, signing, attention] = await Promise.all([
      countsOf(visit),
      seesAll ? signInStatistics() : undefined,
      visit.may('iam.read') ? keys.list() : undefined,
      attentionOf(visit, needs),
    ])
    await visit.show('console/overview', {
      counts,
      days,
      chart: days && chartOf(visit.texts, days),
      signing: signing?.filter(({ phase }) => phase === 'signing'),
      attention,
      running: visit.may('iam.read') ? running : undefined,
      at: now(),
    })
  }

  return [{ method: 'GET', path: '', handle: show }]
}

async function attentionOf(
  visit: Visit,
  { apps, triggerTasks, browsing, running, catalogue }: OverviewNeeds,
): Promise<readonly Attention[]> {
  const found: Attention[] = []
  if (visit.may('user.read')) {
    const { locked } = (await browsing.count()).byState
    if (locked > 0) found.push({ text: 'locked', facts: { count: locked }, href: '/console/users?state=locked' })
  }
  if (visit.may('iam.read')) {
    const { settings } = await catalogue.root()
    if (!running.sendsMail) found.push({ text: settings.registration === 'open' ? 'noMailAndOpen' : 'noMail' })
    if (settings.dynamicClientRegistration === 'open') found.push({ text: 'dynamicOpen', href: '/console/settings' })
    for (const view of await apps.list()) {
      const { app, configuration } = view
      const dead = await Promise.all([...configuration.triggers.keys()].map((trigger) => triggerTasks.listDead(app.id, trigger)))
      const count = dead.flat().length
      if (count > 0) found.push({ text: 'deadLetters', facts: { app: app.name, count }, href: `/console/apps/${app.id}` })
    }
  }
  return found
}
