/** `/console/users/{id}/metadata`: what is kept about somebody under which key. Values are masked until somebody wants to see them, which is recorded. */
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { AuditStore } from '#src/domain/audit/events.ts'
import type { Recorder } from '#src/domain/audit/recorder.ts'
import { guessValue } from '#src/domain/metadata/kind.ts'
import type { Metadata } from '#src/domain/metadata/metadata.ts'
import type { User, UserId } from '#src/domain/users/user.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { rows } from './rows.ts'
import { nameOf, pathOf, showUser, type UserNeeds, userPage } from './user.ts'

export interface UserMetadataNeeds extends UserNeeds {
  readonly metadata: Metadata
  readonly audit: Pick<AuditStore, 'record' | 'changes'>
  readonly recorder: Recorder
  readonly catalogue: Pick<Catalogue, 'root' | 'find' | 'listApplications'>
}

/** A key within an address: it may be any text. */
export const segmentOf = (key: string) => Buffer.from(key).toString('base64url')

/** The key of such a segment. */
export function keyOf(segment = ''): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(segment, 'base64url'))
  } catch {
    return undefined
  }
}

/** Records that the visitor is shown the values of `keys`: before they are. */
export const revealing = (
  { audit, recorder }: Pick<UserMetadataNeeds, 'audit' | 'recorder'>,
  visit: Visit,
  user: User,
  keys: readonly string[],
) =>
  keys.length === 0
    ? Promise.resolve()
    : audit.record(keys.map((key) => recorder.event('metadata.revealed', visit.actor, { kind: 'user', id: user.id }, { key })))

/** Who made the changes of a user that have these numbers. */
export async function authorsOf(
  { audit, users }: Pick<UserMetadataNeeds, 'audit' | 'users'>,
  { texts: { t } }: Visit,
  user: User,
  sequences: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const names = new Map<string, Promise<string>>()
  const named = (id: string) => {
    const known = names.get(id) ?? users.find(id as UserId).then((found) => (found ? nameOf(found) : id))
    names.set(id, known)
    return known
  }
  const found = await Promise.all(
    sequences.map(async (sequence) => {
      const [event] = await audit.changes(user.id, { beyond: sequence - 1, ascending: true, limit: 1 })
      if (event?.sequence !== sequence) return [sequence, '–'] as const
      const { actor } = event
      if (actor.kind === 'user') return [sequence, actor.id === user.id ? t('consoleUsers.history.itself') : await named(actor.id)] as const
      return [
        sequence,
        actor.kind === 'cli' ? t('consoleUsers.history.cli', { name: actor.name }) : t('consoleUsers.history.system'),
      ] as const
    }),
  )
  return new Map(found)
}

/** So much of a value is shown in the list. */
const shownCharacters = 120

function beginningOf(beginning: Uint8Array, isBeginning: boolean): string {
  const text = guessValue(beginning, isBeginning).text ?? Buffer.from(beginning).toString('base64')
  return text.length > shownCharacters || isBeginning ? `${text.slice(0, shownCharacters)}…` : text
}

export const userMetadataPages = (needs: UserMetadataNeeds): readonly AreaPage[] => {
  const { metadata } = needs

  async function show(visit: Visit, user: User, after: string, isRevealed: boolean): Promise<void> {
    const place = after === '' ? undefined : keyOf(after)
    const { items, next, keys, bytes } = await metadata.summaries(user.id, { limit: rows, ...(place !== undefined && { after: place }) })
    if (isRevealed)
      await revealing(
        needs,
        visit,
        user,
        items.map(({ key }) => key),
      )
    const authors = await authorsOf(
      needs,
      visit,
      user,
      items.map(({ sequence }) => sequence),
    )
    const base = `/console${pathOf(user, '/metadata')}`
    return showUser(needs, visit, user, 'metadata', {
      entries: items.map(({ key, beginning, ...entry }) => {
        const isBeginning = entry.bytes > beginning.byteLength
        return {
          ...entry,
          key,
          href: `${base}/${segmentOf(key)}`,
          kind: guessValue(beginning, isBeginning).kind,
          author: authors.get(entry.sequence) ?? '–',
          ...(isRevealed && { value: beginningOf(beginning, isBeginning) }),
        }
      }),
      isRevealed,
      after,
      keys,
      totalBytes: bytes,
      pager: {
        next: next === undefined ? undefined : `${base}?after=${segmentOf(next)}`,
        first: after === '' ? undefined : base,
      },
    })
  }

  return [
    userPage(needs, {
      method: 'GET',
      path: '/metadata',
      permission: 'user.read',
      handle: (visit, user) => show(visit, user, visit.query('after'), false),
    }),
    userPage(needs, {
      method: 'POST',
      path: '/metadata',
      permission: 'user.read',
      isForChange: false,
      handle: (visit, user, form) => show(visit, user, form.raw('after'), true),
    }),
  ]
}
