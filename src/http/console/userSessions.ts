/** `/console/users/{id}/sessions`: where somebody is signed in, and which applications they let see or do something. */
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { Accesses } from '#src/domain/sessions/access.ts'
import type { Sessions } from '#src/domain/sessions/session.ts'
import type { User } from '#src/domain/users/user.ts'
import { applicationName } from '../kit/applicationName.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { deviceName } from '../kit/deviceName.ts'
import { describeAccess } from '../kit/scopes.ts'
import { rows } from './rows.ts'
import { nameOf, pathOf, showUser, type UserNeeds, userConfirmation, userPage } from './user.ts'

export interface UserSessionsNeeds extends UserNeeds {
  readonly browsers: Sessions
  readonly accesses: Accesses
  readonly catalogue: Pick<Catalogue, 'root' | 'find'>
}

export const userSessionsPages = (needs: UserSessionsNeeds): readonly AreaPage[] => {
  const { browsers, accesses, catalogue } = needs
  const named = async ({ texts }: Visit, clientId: string) =>
    applicationName(texts, clientId, (await catalogue.find(clientId))?.application.name)

  async function show(visit: Visit, user: User, data: { problem?: string; status?: number } = {}): Promise<void> {
    const [sessions, granted, { ownProjectId }] = await Promise.all([browsers.list(user.id), accesses.list(user.id), catalogue.root()])
    return showUser(needs, visit, user, 'sessions', {
      ...data,
      sessions: await Promise.all(
        sessions.slice(0, rows).map(async ({ clientIds, agent, ...session }) => ({
          ...session,
          device: deviceName(visit.texts, agent),
          applications: await Promise.all(clientIds.slice(0, 20).map((clientId) => named(visit, clientId))),
        })),
      ),
      total: sessions.length,
      accesses: await Promise.all(
        granted.slice(0, rows).map(async ({ clientId, scopes, claims }) => ({
          clientId,
          name: await named(visit, clientId),
          items: describeAccess(visit.texts, { scopes, claims, ownProjectId }),
        })),
      ),
      totalAccesses: granted.length,
    })
  }

  /** A form that ends something; whether it was there. */
  const ending = (
    path: string,
    permission: string,
    done: string,
    end: (visit: Visit, user: User, id: string) => Promise<boolean>,
  ): AreaPage =>
    userPage(needs, {
      method: 'POST',
      path,
      permission,
      async handle(visit, user, form) {
        if (await end(visit, user, form.raw('id'))) return visit.go(pathOf(user, '/sessions'), done)
        return show(visit, user, { problem: visit.texts.t('consoleUsers.sessions.isOver'), status: 409 })
      },
    })

  return [
    userPage(needs, { method: 'GET', path: '/sessions', permission: 'session.read', handle: (visit, user) => show(visit, user) }),
    ending('/sessions/end', 'session.delete', 'user.sessionEnded', (visit, user, id) => browsers.end(user.id, id, visit.actor)),
    ...userConfirmation(needs, {
      path: '/sessions/end-all',
      permission: 'session.delete',
      async ask({ texts: { t } }, user) {
        const count = (await browsers.list(user.id)).length
        return {
          title: t('consoleUsers.sessions.endAllTitle', { name: nameOf(user) }),
          what: t('consoleUsers.sessions.endAllWhat', { count }),
          submit: t('consoleUsers.sessions.endAll'),
          back: `/console${pathOf(user, '/sessions')}`,
        }
      },
      async act(visit, user) {
        for (const { id } of await browsers.list(user.id)) await browsers.end(user.id, id, visit.actor)
        visit.go(pathOf(user, '/sessions'), 'user.sessionsEnded')
      },
    }),
    ending('/sessions/revoke', 'user.write', 'user.accessRevoked', (visit, user, id) => accesses.revoke(user.id, id, visit.actor)),
  ]
}
