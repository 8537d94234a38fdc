/** The audit trail as a whole: by filters, a page at a time, and all of it as CSV. */
import { Readable } from 'node:stream'
import { isObjectId } from '#src/base/ids.ts'
import type { AuditEvent, Subject } from '#src/domain/audit/events.ts'
import { eventTypes } from '#src/domain/audit/eventTypes.ts'
import type { createTrail, TrailFilter } from '#src/domain/audit/trail.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import type { Texts } from '../kit/messages.ts'
import { type AuditNamesNeeds, namesIn } from './auditNames.ts'

export interface AuditNeeds extends AuditNamesNeeds {
  readonly trail: ReturnType<typeof createTrail>
}

const pageSize = 50

const everyKind: Readonly<Record<Subject['kind'], true>> = {
  user: true,
  project: true,
  application: true,
  organization: true,
  settings: true,
  key: true,
  target: true,
  execution: true,
  registrationToken: true,
  app: true,
}
const subjectKinds = Object.keys(everyKind) as readonly Subject['kind'][]

/** What was typed into the filters, and what is wrong with it. */
interface Asked {
  readonly filter: TrailFilter
  readonly faults: Readonly<Record<string, string>>
}

function asked(visit: Visit): Asked {
  const { t } = visit.texts
  const faults: Record<string, string> = {}
  const type = visit.query('type')
  const types = type === '' ? undefined : eventTypes.filter((each) => each === type || each.startsWith(`${type}.`))
  if (types?.length === 0) faults.type = t('console.audit.noType')
  const moment = (name: 'from' | 'to'): Date | undefined => {
    const text = visit.query(name)
    if (text === '') return undefined
    const date = new Date(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(text) ? `${text}Z` : text)
    if (!Number.isNaN(date.getTime())) return date
    faults[name] = t('console.audit.noMoment')
    return undefined
  }
  const who = visit.query('actor')
  const actor = who === '' ? undefined : who === 'cli' || who === 'system' ? ({ kind: who } as const) : ({ kind: 'user', id: who } as const)
  if (actor?.kind === 'user' && !isObjectId(actor.id)) faults.actor = t('console.audit.noActor')
  const id = visit.query('subject')
  const kind = subjectKinds.find((each) => each === visit.query('kind')) ?? 'user'
  const filter = {
    ...(types && types.length > 0 && { types }),
    ...(actor && { actor }),
    ...(id !== '' && { subject: { kind, id } }),
    from: moment('from'),
    to: moment('to'),
  }
  return { filter, faults }
}

export function auditPages(needs: AuditNeeds): readonly AreaPage[] {
  const { trail } = needs
  const names = ['type', 'actor', 'kind', 'subject', 'from', 'to'] as const
  const parametersOf = (visit: Visit) =>
    new URLSearchParams(names.map((name): [string, string] => [name, visit.query(name)]).filter(([, value]) => value !== ''))

  async function list(visit: Visit): Promise<void> {
    const { filter, faults } = asked(visit)
    const after = visit.query('after') || undefined
    const parameters = parametersOf(visit)
    const shared = {
      asked: Object.fromEntries(names.map((name) => [name, visit.query(name)])),
      faults,
      eventTypes,
      subjectKinds,
      exportAddress: `/console/audit/export?${parameters}`,
    }
    if (Object.keys(faults).length > 0) return visit.show('console/audit', { ...shared, events: [], pager: {} }, 400)
    const page = await trail
      .page(filter, { after, limit: pageSize })
      .catch((error: unknown) => ({ items: [], problem: visit.problemOf(error) }))
    const next = 'next' in page && page.next !== undefined ? page.next : undefined
    const first = after === undefined ? undefined : `/console/audit?${parameters}`
    const pager = {
      first,
      ...(next && { next: `/console/audit?${withAfter(parameters, next)}`, isUnfinished: page.items.length < pageSize }),
    }
    const { actorOf, subjectOf } = await namesIn(page.items, visit, needs)
    const events = page.items.map((event) => ({
      at: event.at,
      type: event.type,
      actor: actorOf(event),
      subject: { kind: event.subject.kind, ...subjectOf(event) },
      facts: factsOf(visit.texts, event),
    }))
    const problem = 'problem' in page ? page.problem : undefined
    await visit.show('console/audit', { ...shared, events, pager, ...(problem && { problem }) }, problem ? 400 : 200)
  }

  function exportAll(visit: Visit): void | Promise<void> {
    const { filter, faults } = asked(visit)
    if (Object.keys(faults).length > 0) return list(visit)
    const { ctx } = visit
    ctx.type = 'text/csv; charset=utf-8'
    ctx.set('Content-Disposition', 'attachment; filename="audit.csv"')
    ctx.set('Cache-Control', 'no-store')
    ctx.body = Readable.from(csvOf(trail.all(filter)))
  }

  return [
    { method: 'GET', path: '/audit', permission: 'events.read', handle: list },
    { method: 'GET', path: '/audit/export', permission: 'events.read', handle: exportAll },
  ]
}

function withAfter(parameters: URLSearchParams, after: string): URLSearchParams {
  const next = new URLSearchParams(parameters)
  next.set('after', after)
  return next
}

/** Rows go on in pieces of this size: a write for each would cost more than making it. */
const pieceOf = 16 * 1024

/** Events as CSV (RFC 4180), in pieces; of all events together nothing is kept. */
async function* csvOf(events: AsyncIterable<AuditEvent>): AsyncGenerator<string> {
  let piece = 'id,at,type,actorKind,actor,subjectKind,subject,sequence,payload\r\n'
  for await (const event of events) {
    const { id, at, type, actor, subject, sequence, payload } = event
    const row = [id, at.toISOString(), type, actor.kind, nameOf(actor), subject.kind, subject.id, sequence ?? '', JSON.stringify(payload)]
    piece += `${row.map(cell).join(',')}\r\n`
    if (piece.length < pieceOf) continue
    yield piece
    piece = ''
  }
  yield piece
}

/** A cell that no spreadsheet takes for a formula. */
function cell(value: string | number): string {
  const text = String(value)
  const safe = /^[=+\-@\t\r]/.test(text) && typeof value === 'string' ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

const nameOf = (actor: AuditEvent['actor']) => (actor.kind === 'user' ? actor.id : actor.kind === 'cli' ? actor.name : '')

/** Where the name of a field stands that has changed, of whatever it was. */
const textsOfField = (field: string) => [
  `consoleUsers.changed.${field}`,
  `console.field.${field}`,
  `console.application.${field}`,
  `console.settings.${field}`,
]

/** What an event tells, as words. */
function factsOf({ t, has }: Texts, { payload }: AuditEvent): readonly { readonly name: string; readonly value: string }[] {
  const fieldName = (field: string) => {
    const key = textsOfField(field).find(has)
    return key === undefined ? field : t(key)
  }
  return Object.entries(payload).map(([name, value]: [string, unknown]) => {
    if (name === 'fields' && Array.isArray(value)) return { name: t('console.audit.changed'), value: value.map(fieldName).join(', ') }
    if (Array.isArray(value)) return { name, value: value.join(', ') }
    if (typeof value === 'boolean') return { name, value: t(value ? 'console.yes' : 'console.no') }
    return { name, value: String(value) }
  })
}
