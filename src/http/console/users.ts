/** `/console/users`: whom there is, by any combination of filters, a page at a time. */
import { CursorInvalid } from '#src/base/page.ts'
import type { BrowseFilter } from '#src/domain/users/browse.ts'
import type { User, UserState } from '#src/domain/users/user.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { rows } from './rows.ts'
import { nameOf } from './user.ts'

export interface UsersNeeds {
  readonly browsing: {
    browse(
      filter: BrowseFilter,
      page: { readonly after?: string; readonly limit: number },
    ): Promise<{ readonly items: readonly User[]; readonly next?: string }>
  }
}

const states: readonly UserState[] = ['active', 'inactive', 'locked']
const kinds: readonly User['kind'][] = ['human', 'machine']

/** What somebody has asked for; texts that are empty ask for nothing. */
interface Asked {
  readonly q: string
  readonly key: string
  readonly value: string
  readonly state: string
  readonly kind: string
}

function askedOf({ query }: Visit): Asked {
  return { q: query('q').trim(), key: query('key'), value: query('value'), state: query('state'), kind: query('kind') }
}

function filterOf({ q, key, value, state, kind }: Asked): BrowseFilter {
  return {
    ...(q !== '' && { text: q }),
    ...(key !== '' && { metadata: { key, ...(value !== '' && { value: Buffer.from(value) }) } }),
    state: states.find((each) => each === state),
    kind: kinds.find((each) => each === kind),
  }
}

/** The list's address for what is asked, from a place on. */
function addressOf(asked: Asked, after?: string): string {
  const given = Object.entries({ ...asked, after: after ?? '' }).filter(([, value]) => value !== '')
  const query = new URLSearchParams(given).toString()
  return `/console/users${query === '' ? '' : `?${query}`}`
}

export const usersPages = ({ browsing }: UsersNeeds): readonly AreaPage[] => [
  {
    method: 'GET',
    path: '/users',
    permission: 'user.read',
    async handle(visit) {
      const asked = askedOf(visit)
      const after = visit.query('after') || undefined
      const shared = {
        asked,
        states,
        kinds,
        isFiltered: Object.values(asked).some((each) => each !== ''),
        faults: asked.value !== '' && asked.key === '' ? { key: visit.texts.t('consoleUsers.list.keyMissing') } : {},
      }
      try {
        const { items, next } = await browsing.browse(filterOf(asked), { limit: rows, ...(after !== undefined && { after }) })
        const isUnfinished = next !== undefined && items.length < rows
        await visit.show('console/users', {
          ...shared,
          users: items.map((user) => ({ user, name: nameOf(user) })),
          pager: {
            next: next === undefined ? undefined : addressOf(asked, next),
            first: after === undefined ? undefined : addressOf(asked),
            isUnfinished,
          },
        })
      } catch (error) {
        if (!(error instanceof CursorInvalid)) throw error
        await visit.show(
          'console/users',
          { ...shared, users: [], pager: { first: addressOf(asked) }, problem: visit.problemOf(error) },
          400,
        )
      }
    },
  },
]
