import { Readable } from 'node:stream'
import { guessValue } from '#src/domain/metadata/kind.ts'
import type { MetadataEntry } from '#src/domain/metadata/metadata.ts'
import type { User } from '#src/domain/users/user.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { accessLine } from './access.ts'
import type { AccountNeeds } from './account.ts'
import { sessionLine } from './devices.ts'
import { profileLines, rolesOf } from './profile.ts'
import { readableData } from './readable.ts'

const pageOfEvents = 200
/** Applications and devices on the page: a page is light, and the file has everything. */
const printedLines = 40

const exportedValue = (value: Uint8Array) => guessValue(value).text ?? { base64: Buffer.from(value).toString('base64') }

const entryOf = ({ key, value, createdAt, changedAt }: MetadataEntry) => ({ key, value: exportedValue(value), createdAt, changedAt })

/** Without what proves somebody: hashes are no data about a person. */
const profileOf = ({ id, kind, username, state, profile, admin, createdAt, changedAt, identities = [] }: User) => ({
  user: { id, kind, username, state, admin, createdAt, changedAt },
  profile,
  identities: identities.map(({ app, provider, id: identity, data, createdAt: since, usedAt }) => ({
    app,
    provider,
    id: identity,
    data,
    createdAt: since,
    usedAt,
  })),
})

/** `/account/export`: everything as one JSON file, and as a page to be printed, of which what is long is in the file alone. */
export function exportPages(needs: AccountNeeds): readonly AreaPage[] {
  const { users, audit, browsers, accesses, knownByApps } = needs

  async function facts(visit: Visit) {
    const { user } = visit
    const [found, sessions, applications, apps, roles] = await Promise.all([
      users.findWithMetadata(user.id),
      browsers.list(user.id),
      accesses.list(user.id),
      knownByApps.list(user),
      rolesOf(needs, user),
    ])
    return { user: found?.user ?? user, metadata: found?.metadata ?? [], sessions, applications, apps, roles }
  }

  /** The file, a part after the other: what happened may be long. */
  async function* file(visit: Visit): AsyncGenerator<string> {
    const { user, metadata, sessions, applications, apps, roles } = await facts(visit)
    const known = { ...profileOf(user), roles, metadata: metadata.map(entryOf), applications, sessions, apps }
    yield `${JSON.stringify(known, undefined, 2).slice(0, -2)},\n  "events": [`
    let isFirst = true
    for (let before: string | undefined; ; ) {
      const events = await audit.list({ kind: 'user', id: user.id }, { limit: pageOfEvents, ...(before !== undefined && { before }) })
      for (const { type, at, actor, payload } of events) {
        yield `${isFirst ? '' : ','}\n    ${JSON.stringify({ type, at, actor, ...payload })}`
        isFirst = false
      }
      before = events.at(-1)?.id
      if (events.length < pageOfEvents) break
    }
    yield '\n  ]\n}\n'
  }

  return [
    {
      method: 'GET',
      path: '/export',
      isDangerous: true,
      handle(visit) {
        const { ctx } = visit
        ctx.attachment('account.json')
        ctx.type = 'application/json; charset=utf-8'
        ctx.set('Cache-Control', 'no-store')
        ctx.body = Readable.from(file(visit))
      },
    },
    {
      method: 'GET',
      path: '/export/print',
      isDangerous: true,
      async handle(visit) {
        const { user, metadata, sessions, applications, apps, roles } = await facts(visit)
        await visit.show('account/print', {
          trail: [{ href: '/account/data', label: visit.texts.t('account.sections.data') }],
          user,
          lines: profileLines(visit.texts, user),
          roles,
          ...readableData(user, metadata, apps),
          applications: await Promise.all(applications.slice(0, printedLines).map((each) => accessLine(visit, needs, each))),
          moreApplications: Math.max(0, applications.length - printedLines),
          sessions: await Promise.all(sessions.slice(0, printedLines).map((session) => sessionLine(visit, needs, session))),
          moreSessions: Math.max(0, sessions.length - printedLines),
        })
      },
    },
  ]
}
