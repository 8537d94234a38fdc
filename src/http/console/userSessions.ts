/** `/console/users/{id}/sessions`: where somebody is signed in. */
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { Sessions } from '#src/domain/sessions/session.ts'
import type { User } from '#src/domain/users/user.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { rows } from './rows.ts'
import { pathOf, showUser, type UserNeeds, userPage } from './user.ts'

export interface UserSessionsNeeds extends UserNeeds {
  readonly sessions: Sessions
  readonly catalogue: Pick<Catalogue, 'find'>
}

export const userSessionsPages = (needs: UserSessionsNeeds): readonly AreaPage[] => {
  const { sessions, catalogue } = needs
  const named = async (clientId: string) => (await catalogue.find(clientId))?.application.name ?? clientId

  async function show(visit: Visit, user: User, data: { problem?: string; status?: number } = {}): Promise<void> {
    const found = await sessions.list(user.id)
    const shown = await Promise.all(
      found.slice(0, rows).map(async ({ clientIds, ...session }) => ({
        ...session,
        applications: await Promise.all(clientIds.slice(0, 20).map(named)),
      })),
    )
    return showUser(needs, visit, user, 'sessions', { ...data, sessions: shown, total: found.length })
  }

  return [
    userPage(needs, { method: 'GET', path: '/sessions', permission: 'session.read', handle: (visit, user) => show(visit, user) }),
    userPage(needs, {
      method: 'POST',
      path: '/sessions/end',
      permission: 'session.delete',
      async handle(visit, user, form) {
        if (await sessions.end(user.id, form.raw('session'), visit.actor)) return visit.go(pathOf(user, '/sessions'), 'sessionEnded')
        return show(visit, user, { problem: visit.texts.t('consoleUsers.sessions.isOver'), status: 409 })
      },
    }),
    userPage(needs, {
      method: 'POST',
      path: '/sessions/end-all',
      permission: 'session.delete',
      async handle(visit, user) {
        for (const { id } of await sessions.list(user.id)) await sessions.end(user.id, id, visit.actor)
        visit.go(pathOf(user, '/sessions'), 'sessionsEnded')
      },
    }),
  ]
}
