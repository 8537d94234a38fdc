/** `/console/users/{id}`: who it is, and what can be done about them. */
import type { User } from '#src/domain/users/user.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { showUser, type UserNeeds, userPage } from './user.ts'

export type Move = 'deactivate' | 'reactivate' | 'lock' | 'unlock'

/** The states to come from, as in ZITADEL's API. */
const from: Readonly<Record<Move, readonly User['state'][]>> = {
  deactivate: ['active', 'locked'],
  reactivate: ['inactive'],
  lock: ['active'],
  unlock: ['locked'],
}

/** What can be done to somebody in a state. */
export const movesFrom = (state: User['state']): readonly Move[] =>
  (Object.keys(from) as Move[]).filter((move) => from[move].includes(state))

export const showOverview = (
  needs: UserNeeds,
  visit: Visit,
  user: User,
  data: { readonly problem?: string; readonly status?: number } = {},
): Promise<void> => showUser(needs, visit, user, 'overview', { ...data, moves: movesFrom(user.state) })

export const userOverviewPages = (needs: UserNeeds): readonly AreaPage[] => [
  userPage(needs, { method: 'GET', path: '', permission: 'user.read', handle: (visit, user) => showOverview(needs, visit, user) }),
]
