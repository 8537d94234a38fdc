/** `/console/users/{id}/password`: another password, set here or by the person themselves with a link that they are sent. */
import type { User } from '#src/domain/users/user.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { type FormFaults, faultsAt, faultsOf } from './faults.ts'
import { pathOf, showUser, type UserNeeds, userPage } from './user.ts'
import { showOverview } from './userOverview.ts'

export interface UserPasswordNeeds extends UserNeeds {
  /** Sends somebody with a proven address a link to a new password; whether it was sent. */
  readonly sendPasswordLink: (user: User) => Promise<boolean>
}

const hasProvenAddress = ({ profile: { email, emailVerified } }: User) => email !== undefined && emailVerified === true

export const userPasswordPages = (needs: UserPasswordNeeds): readonly AreaPage[] => {
  const { users, sendPasswordLink } = needs
  const show = (visit: Visit, user: User, form?: FormFaults) =>
    showUser(needs, visit, user, 'overview', {
      template: 'userPassword',
      heading: visit.texts.t('consoleUsers.field.password'),
      faults: {},
      ...form,
      values: {},
      canSend: hasProvenAddress(user),
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
      method: 'GET',
      path: '/password/link',
      permission: 'user.write',
      isDangerous: true,
      isForChange: true,
      handle: (visit, user) => visit.go(pathOf(user, '/password')),
    }),
    userPage(needs, {
      method: 'POST',
      path: '/password/link',
      permission: 'user.write',
      isDangerous: true,
      async handle(visit, user) {
        if (user.kind !== 'human' || !hasProvenAddress(user)) return visit.missing()
        if (await sendPasswordLink(user)) return visit.go(pathOf(user), 'passwordLinkSent')
        await showOverview(needs, visit, user, { problem: visit.texts.t('consoleUsers.password.notSent'), status: 409 })
      },
    }),
  ]
}
