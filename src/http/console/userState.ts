/** Switching users off and on, and removing them. */
import type { AreaPage } from '../kit/area.ts'
import { nameOf, pathOf, shuttingOut, type UserNeeds, userConfirmation, userPage } from './user.ts'
import { movesFrom, showOverview } from './userOverview.ts'

export const userStatePages = (needs: UserNeeds): readonly AreaPage[] => [
  userPage(needs, {
    method: 'POST',
    path: '/state',
    permission: 'user.write',
    async handle(visit, user, form) {
      const move = movesFrom(user.state).find((each) => each === form.raw('move'))
      if (!move) return showOverview(needs, visit, user, { problem: visit.texts.t('consoleUsers.state.isAnother'), status: 409 })
      const change = () => needs.users[move](user.id, visit.actor)
      try {
        await (move === 'reactivate' || move === 'unlock' ? change() : shuttingOut(needs, visit, user, change))
        visit.go(pathOf(user), `user.${move}`)
      } catch (error) {
        await showOverview(needs, visit, user, { problem: visit.problemOf(error), status: 400 })
      }
    },
  }),
  ...userConfirmation(needs, {
    path: '/remove',
    permission: 'user.delete',
    ask({ texts: { t } }, user) {
      return {
        title: t('consoleUsers.remove.title', { name: nameOf(user) }),
        what: t('consoleUsers.remove.what'),
        name: user.username,
        submit: t('consoleUsers.remove.submit'),
        back: `/console${pathOf(user)}`,
      }
    },
    async act(visit, user) {
      await shuttingOut(needs, visit, user, () => needs.users.remove(user.id, visit.actor))
      visit.go('/users', 'removed')
    },
  }),
]
