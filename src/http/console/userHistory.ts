/** `/console/users/{id}/history`: what happened to somebody, by whom and when, the newest first. */
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { AuditEvent, AuditStore } from '#src/domain/audit/events.ts'
import type { User, UserId } from '#src/domain/users/user.ts'
import { applicationName } from '../kit/applicationName.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import type { Texts } from '../kit/messages.ts'
import { rows } from './rows.ts'
import { nameOf, pathOf, showUser, type UserNeeds, userPage } from './user.ts'

export interface UserHistoryNeeds extends UserNeeds {
  readonly audit: Pick<AuditStore, 'list'>
  readonly catalogue: Pick<Catalogue, 'find'>
}

/** What is told of an event, as facts for a text. */
type Told = Readonly<Record<string, string | number>>

/** What happened, in a sentence. An event that has none yet is told by its type. */
function sentenceOf({ t, has }: Texts, { type }: AuditEvent, told: Told): string {
  const key = `consoleUsers.event.${type}`
  return has(key) ? t(key, told) : type
}

export const userHistoryPages = (needs: UserHistoryNeeds): readonly AreaPage[] => {
  const { users, audit, catalogue } = needs

  function toldOf({ texts: { t, has, bytes } }: Visit, { payload }: AuditEvent, applications: ReadonlyMap<string, string>): Told {
    const facts = payload as Readonly<Record<string, unknown>>
    const fieldName = (field: string) => (has(`consoleUsers.changed.${field}`) ? t(`consoleUsers.changed.${field}`) : field)
    const told = Object.entries(facts).map(([name, value]) => {
      if (name === 'fields') return [name, (value as readonly string[]).map(fieldName).join(', ')] as const
      if (name === 'bytes') return [name, bytes(Number(value))] as const
      return [name, Array.isArray(value) ? value.join(', ') : typeof value === 'number' ? value : String(value)] as const
    })
    const { clientId } = facts
    return {
      ...Object.fromEntries(told),
      application: typeof clientId === 'string' ? (applications.get(clientId) ?? clientId) : '–',
    }
  }

  /** Names of those who did it, and of applications. */
  async function namesFor({ texts }: Visit, events: readonly AuditEvent[]) {
    const actorIds = new Set(events.flatMap(({ actor }) => (actor.kind === 'user' ? [actor.id] : [])))
    const clientIds = new Set(events.flatMap(({ payload }) => ('clientId' in payload && payload.clientId ? [payload.clientId] : [])))
    const [actors, applications] = await Promise.all([
      Promise.all([...actorIds].map((id) => users.find(id as UserId))),
      Promise.all([...clientIds].map((id) => catalogue.find(id))),
    ])
    return {
      actors: new Map(actors.flatMap((each) => (each ? [[each.id as string, nameOf(each)] as const] : []))),
      applications: new Map(
        applications.flatMap((each) =>
          each ? [[each.application.clientId, applicationName(texts, each.application.clientId, each.application.name)] as const] : [],
        ),
      ),
    }
  }

  function actorOf({ texts: { t } }: Visit, { actor }: AuditEvent, user: User, names: ReadonlyMap<string, string>) {
    if (actor.kind === 'system') return { name: t('consoleUsers.history.system') }
    if (actor.kind === 'cli') return { name: t('consoleUsers.history.cli', { name: actor.name }) }
    if (actor.id === user.id) return { name: t('consoleUsers.history.itself') }
    const name = names.get(actor.id)
    return name === undefined
      ? { name: t('consoleUsers.history.gone', { id: actor.id }) }
      : { name, href: `/console${pathOf({ id: actor.id as UserId })}` }
  }

  return [
    userPage(needs, {
      method: 'GET',
      path: '/history',
      permission: 'user.read',
      async handle(visit, user) {
        const before = visit.query('before') || undefined
        const found = await audit.list({ kind: 'user', id: user.id }, { limit: rows + 1, ...(before !== undefined && { before }) })
        const events = found.slice(0, rows)
        const { actors, applications } = await namesFor(visit, events)
        const base = `/console${pathOf(user, '/history')}`
        await showUser(needs, visit, user, 'history', {
          events: events.map((event) => ({
            id: event.id,
            at: event.at,
            type: event.type,
            sequence: event.sequence,
            actor: actorOf(visit, event, user, actors),
            what: sentenceOf(visit.texts, event, toldOf(visit, event, applications)),
          })),
          pager: {
            next: found.length > rows ? `${base}?before=${events.at(-1)?.id}` : undefined,
            first: before === undefined ? undefined : base,
          },
        })
      },
    }),
  ]
}
