import type { Clock } from '#src/base/clock.ts'
import { mergedSession } from '#src/domain/sessions/merge.ts'
import type { Artifact, ArtifactStore, FoundArtifact } from '#src/domain/sessions/store.ts'
import type { Database } from './database.ts'

interface ArtifactRow {
  readonly payload: string
  readonly consumed_at: number | null
}

/** An expired artifact is still answered for this long: the engine judges expiry itself, with a tolerance for clocks. */
export const graceMs = 60_000

const written = 'expires_at, grant_id, uid, user_code, account_id, payload'
const replacing =
  'expires_at = excluded.expires_at, grant_id = excluded.grant_id, uid = excluded.uid, user_code = excluded.user_code, ' +
  'account_id = excluded.account_id, payload = excluded.payload'
const columnsOf = ({ model, id, expiresAt, grantId, uid, userCode, accountId, payload }: Artifact) =>
  [
    model,
    id,
    expiresAt?.getTime() ?? null,
    grantId ?? null,
    uid ?? null,
    userCode ?? null,
    accountId ?? null,
    JSON.stringify(payload),
  ] as const

export function createArtifactStore(database: Database, now: Clock): ArtifactStore {
  const live = '(expires_at IS NULL OR expires_at > ?)'
  const horizon = () => now().getTime() - graceMs

  // Only sessions are indexed by uid, and the planner must be told so: a token has one too, which nobody looks for.
  const findBy = (column: 'id' | 'uid' | 'user_code', model: string, value: string) =>
    database.read(() => {
      const row = database.get<ArtifactRow>(
        `SELECT payload, consumed_at FROM artifacts WHERE ${column} = ? AND model = ?${column === 'uid' ? " AND model = 'Session'" : ''} AND ${live} ORDER BY number DESC LIMIT 1`,
        value,
        model,
        horizon(),
      )
      return row && foundOf(row)
    })

  // A used artifact stays used, whatever is written over it: the writer may have read it before it was.
  const putNow = (artifact: Artifact) =>
    database.run(
      `INSERT INTO artifacts (model, id, ${written}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (model, id) DO UPDATE SET ${replacing}`,
      ...columnsOf(artifact),
    )

  const consumeNow = (model: string, id: string, at: Date) =>
    database.run(
      `UPDATE artifacts SET consumed_at = ? WHERE model = ? AND id = ? AND consumed_at IS NULL AND ${live}`,
      at.getTime(),
      model,
      id,
      horizon(),
    ) > 0

  return {
    find: (model, id) => findBy('id', model, id),
    findByUid: (model, uid) => findBy('uid', model, uid),

    findToken: (model, id) =>
      database.read(() => {
        // Three looks by key; the same as joins takes four times as long.
        const [row] = database.rows(
          `SELECT payload, consumed_at,
             (SELECT payload FROM artifacts AS g WHERE g.model = 'Grant' AND g.id = t.grant_id),
             (SELECT payload FROM artifacts AS s WHERE s.model = 'Session' AND s.uid = t.uid ORDER BY number DESC LIMIT 1)
           FROM artifacts AS t WHERE model = ? AND id = ? AND ${live}`,
          model,
          id,
          horizon(),
        ) as [string, number | null, string | null, string | null][]
        if (!row) return undefined
        const [payload, consumed_at, grant, session] = row
        return {
          token: foundOf({ payload, consumed_at }),
          ...(grant !== null && { grant: foundOf({ payload: grant, consumed_at: null }) }),
          ...(session !== null && { session: foundOf({ payload: session, consumed_at: null }) }),
        }
      }),

    listByAccount: (model, accountId) =>
      database.read(() =>
        database
          .all<ArtifactRow>(
            `SELECT payload, consumed_at FROM artifacts WHERE account_id = ? AND grant_id IS NULL AND model = ? AND ${live} ORDER BY number`,
            accountId,
            model,
            horizon(),
          )
          .map(foundOf),
      ),

    list: (model, { after = '', limit }) =>
      database.read(() =>
        database
          .all<ArtifactRow>(
            `SELECT payload, consumed_at FROM artifacts WHERE model = ? AND id > ? AND ${live} ORDER BY id LIMIT ?`,
            model,
            after,
            horizon(),
            limit,
          )
          .map(foundOf),
      ),

    findByUserCode: (model, userCode) => findBy('user_code', model, userCode),

    put: (artifact) =>
      database.write(() => {
        putNow(artifact)
      }),

    putSession: (artifact) =>
      database.write(() => {
        const { model, id, payload } = artifact
        const row = database.get<ArtifactRow>('SELECT payload, consumed_at FROM artifacts WHERE model = ? AND id = ?', model, id)
        putNow(row ? { ...artifact, payload: mergedSession(payload, JSON.parse(row.payload)) } : artifact)
      }),

    insert: (artifact) =>
      database.write(() => {
        const changed = database.run(
          `INSERT INTO artifacts (model, id, ${written}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (model, id) DO UPDATE SET consumed_at = NULL, ${replacing} WHERE artifacts.expires_at <= ?`,
          ...columnsOf(artifact),
          now().getTime(),
        )
        return changed > 0
      }),

    consume: (model, id, at) => database.write(() => consumeNow(model, id, at)),

    exchange: (model, id, given, at) =>
      database.write(() => {
        const used = consumeNow(model, id, at)
        if (used) for (const artifact of given) putNow(artifact)
        return used
      }),

    remove: (model, id) =>
      database.write(() => {
        database.run('DELETE FROM artifacts WHERE model = ? AND id = ?', model, id)
      }),

    removeByGrant: (model, grantId) =>
      database.write(() => {
        database.run('DELETE FROM artifacts WHERE grant_id = ? AND model = ?', grantId, model)
      }),

    removeByAccount: (accountId) =>
      database.write(() => {
        database.run(
          `DELETE FROM artifacts WHERE grant_id IN
           (SELECT id FROM artifacts WHERE account_id = ? AND grant_id IS NULL AND model = 'Grant')`,
          accountId,
        )
        database.run('DELETE FROM artifacts WHERE account_id = ? AND grant_id IS NULL', accountId)
      }),
  }
}

function foundOf({ payload, consumed_at }: ArtifactRow): FoundArtifact {
  const found = { payload: JSON.parse(payload) as Record<string, unknown> }
  return consumed_at === null ? found : { ...found, consumedAt: new Date(consumed_at) }
}
