import { AccountInvalid, provenEmailOf } from '#src/domain/accounts/accounts.ts'
import type { User } from '#src/domain/users/user.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { faultTexts } from '../kit/faults.ts'
import type { AccountNeeds } from './account.ts'

/** Whoever takes away the last way in is out. */
const isLastWay = ({ passwordHash, identities = [] }: User) => passwordHash === undefined && identities.length <= 1

/** `/account/sign-in`: the ways in, and the password. */
export function signInPages({ users, knownByApps, passwordReset, pages }: AccountNeeds): readonly AreaPage[] {
  const trail = (visit: Visit) => [{ href: '/account/sign-in', label: visit.texts.t('account.sections.signIn') }]

  async function show(visit: Visit, problem?: string): Promise<void> {
    const { user } = visit
    const apps = await knownByApps.list(user)
    const identities = (user.identities ?? []).map((identity) => ({
      ...identity,
      appName: apps.find(({ app }) => app.id === identity.app)?.app.name ?? identity.app,
    }))
    const facts = { hasPassword: user.passwordHash !== undefined, email: provenEmailOf(user), identities, isLastWay: isLastWay(user) }
    await visit.show('account/sign-in', { ...facts, problem }, problem === undefined ? 200 : 400)
  }

  return [
    { method: 'GET', path: '/sign-in', handle: (visit) => show(visit) },
    {
      method: 'POST',
      path: '/sign-in/unlink',
      async handle(visit, form) {
        const { user, actor, texts } = visit
        if (isLastWay(user)) return show(visit, texts.t('account.signIn.lastWay'))
        const identity = { app: form.raw('app'), provider: form.raw('provider'), id: form.raw('id') }
        if (!(await users.removeIdentity(user.id, identity, actor))) return visit.missing()
        // Whoever is logged in by it is so no more.
        const left = (await knownByApps.list(user)).find(({ app }) => app.id === identity.app)?.sessions ?? []
        for (const device of left) if (device.provider === identity.provider) await knownByApps.end(user.id, identity.app, device.id)
        visit.go('/sign-in', 'identityRemoved')
      },
    },
    {
      method: 'POST',
      path: '/sign-in/password-link',
      async handle(visit) {
        const email = provenEmailOf(visit.user)
        try {
          if (email !== undefined) await passwordReset.request(email, { locale: visit.texts.language, address: visit.ctx.ip })
          visit.go('/sign-in', 'linkSent')
        } catch (error) {
          await show(visit, visit.problemOf(error))
        }
      },
    },
    {
      method: 'GET',
      path: '/password',
      handle: (visit) =>
        visit.user.passwordHash === undefined ? visit.go('/sign-in') : visit.show('account/password', { trail: trail(visit), faults: {} }),
    },
    {
      method: 'POST',
      path: '/password',
      async handle(visit, form) {
        const { user, ctx, texts } = visit
        try {
          await passwordReset.change(user.id, { current: form.raw('current'), next: form.raw('password'), address: ctx.ip })
        } catch (error) {
          const faults = error instanceof AccountInvalid ? faultTexts(texts, error.faults) : {}
          const problem = error instanceof AccountInvalid ? undefined : visit.problemOf(error)
          return visit.show('account/password', { trail: trail(visit), faults, problem }, 400)
        }
        // The session has ended with every other.
        const back = { href: '/account', label: texts.t('interactions.notice.signIn') }
        const told = { title: texts.t('interactions.resetDone.title'), say: texts.t('interactions.resetDone.say'), back }
        return pages.show(ctx, 'interactions/notice', told)
      },
    },
  ]
}
