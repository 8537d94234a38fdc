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
  readonly catalogue: Pick<Catalogue, 'root' | 'countApplications'>
  readonly browsing: Pick<UserBrowsing, 'count'>
  readonly signInStatistics: () => Promise<readonly SignInsOfDay[]>
  readonly keys: Pick<Keys, 'list'>
  readonly apps: Pick<Apps, 'list'>
  readonly triggerTasks: Pick<Tasks, 'listAllDead'>
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

  async function recordsOf(visit: Visit) {
    if (!visit.may('project.read')) return undefined
    const [{ projects }, counts] = await Promise.all([catalogue.root(), catalogue.countApplications()])
    // Dossier's own is none of theirs.
    return { projects: projects.size - 1, applications: [...counts.values()].reduce((sum, count) => sum + count, 0) }
  }

  async function show(visit: Visit): Promise<void> {
    const seesAll = visit.may('events.read')
    const [users, records, days, signing, attention] = await Promise.all([
      visit.may('user.read') ? browsing.count() : undefined,
      recordsOf(visit),
      seesAll ? signInStatistics() : undefined,
      visit.may('iam.read') ? keys.list() : undefined,
      attentionOf(visit, needs),
    ])
    const locked = users?.byState.locked ?? 0
    await visit.show('console/overview', {
      users,
      records,
      days,
      chart: days && chartOf(visit.texts, days),
      signing: signing?.filter(({ phase }) => phase === 'signing'),
      attention: [...(locked > 0 ? [lockedOf(locked)] : []), ...attention],
      running: visit.may('iam.read') ? running : undefined,
      at: now(),
    })
  }

  return [{ method: 'GET', path: '', handle: show }]
}

const lockedOf = (count: number): Attention => ({ text: 'locked', facts: { count }, href: '/console/users?state=locked' })

async function attentionOf(visit: Visit, { apps, triggerTasks, running, catalogue }: OverviewNeeds): Promise<readonly Attention[]> {
  const found: Attention[] = []
  if (visit.may('iam.read')) {
    const { settings } = await catalogue.root()
    if (!running.sendsMail) found.push({ text: settings.registration === 'open' ? 'noMailAndOpen' : 'noMail' })
    if (settings.dynamicClientRegistration === 'open') found.push({ text: 'dynamicOpen', href: '/console/settings' })
    const [views, letters] = await Promise.all([apps.list(), triggerTasks.listAllDead()])
    const dead = Map.groupBy(letters, ({ app }) => app)
    for (const { app, configuration } of views) {
      const count = (dead.get(app.id) ?? []).filter(({ trigger }) => configuration.triggers.has(trigger)).length
      if (count > 0) found.push({ text: 'deadLetters', facts: { app: app.name, count }, href: `/console/apps/${app.id}` })
    }
  }
  return found
}
