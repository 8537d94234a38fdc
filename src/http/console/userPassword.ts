/** `/console/users/{id}/password`: another password, set here or by the person themselves with a link that they are sent. */
import type { User } from '#src/domain/users/user.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { type FormFaults, faultsAt, faultsOf } from './faults.ts'
import { pathOf, showUser, type UserNeeds, userPage } from './user.ts'

export interface UserPasswordNeeds extends UserNeeds {
  /** Sends somebody a link to a new password; absent where no mail can be sent. */
  readonly sendPasswordLink?: (user: User) => Promise<void>
}

export const userPasswordPages = (needs: UserPasswordNeeds): readonly AreaPage[] => {
  const { users, sendPasswordLink } = needs
  const show = (visit: Visit, user: User, form?: FormFaults) =>
    showUser(needs, visit, user, 'overview', {
      template: 'userPassword',
      faults: {},
      ...form,
      values: {},
      canSend: sendPasswordLink !== undefined && user.profile.email !== undefined,
      ...(form && { status: 400 }),
    })

  return [
    userPage(needs, {
      method: 'GET',
      path: '/password',
      permission: 'user.write',
      isDangerous: true,
      isForChange: true,
      handle: (visit, user) => (user.kind === 'human' ? show(visit, user) : visit.missing()),
    }),
    userPage(needs, {
      method: 'POST',
      path: '/password',
      permission: 'user.write',
      isDangerous: true,
      async handle(visit, user, form) {
        if (user.kind !== 'human') return visit.missing()
        const password = form.raw('password')
        if (password !== form.raw('again'))
          return show(visit, user, faultsAt(visit, { again: visit.texts.t('consoleUsers.password.differs') }, {}))
        try {
          await users.setPassword(user.id, password, visit.actor)
          visit.go(pathOf(user), 'passwordSet')
        } catch (error) {
          await show(visit, user, faultsOf(visit, error, { password: '' }))
        }
      },
    }),
    userPage(needs, {
      method: 'POST',
      path: '/password/link',
      permission: 'user.write',
      async handle(visit, user) {
        if (user.kind !== 'human' || user.profile.email === undefined || !sendPasswordLink) return visit.missing()
        await sendPasswordLink(user)
        visit.go(pathOf(user), 'passwordLinkSent')
      },
    }),
  ]
}
