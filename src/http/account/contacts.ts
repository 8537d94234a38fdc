import { AccountInvalid } from '#src/domain/accounts/accounts.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { confirmation } from '../kit/confirmation.ts'
import { faultTexts } from '../kit/faults.ts'
import type { AccountNeeds } from './account.ts'

/** `/account/email`, `/account/phone`: an address or a number is another one once it is proved. */
export function contactPages({ contacts }: AccountNeeds): readonly AreaPage[] {
  const trail = (visit: Visit) => [{ href: '/account', label: visit.texts.t('account.sections.profile') }]
  const asker = (visit: Visit) => ({ locale: visit.texts.language, address: visit.ctx.ip })

  /** The form with what is wrong about what was typed into its one field. */
  async function showAgain(visit: Visit, template: string, field: string, typed: string, error: unknown, data: object = {}): Promise<void> {
    const fault = error instanceof AccountInvalid ? faultTexts(visit.texts, error.faults)[field] : undefined
    const problem = fault === undefined ? visit.problemOf(error) : undefined
    await visit.show(template, { ...data, trail: trail(visit), typed, fault, problem }, 400)
  }

  const showEmail = (visit: Visit) => visit.show('account/email', { trail: trail(visit), typed: '' })
  const current = ({ user }: Visit) => ({ current: user.profile.phone })
  const showPhone = (visit: Visit) => visit.show('account/phone', { ...current(visit), trail: trail(visit), typed: '' })

  async function showCode(visit: Visit): Promise<void> {
    const phone = await contacts.findPhone(visit.user.id)
    if (phone === undefined) return visit.go('/phone')
    await visit.show('account/phone-code', { trail: trail(visit), phone })
  }

  return [
    { method: 'GET', path: '/email', isDangerous: true, handle: showEmail },
    {
      method: 'POST',
      path: '/email',
      isDangerous: true,
      async handle(visit, form) {
        const email = form.text('email')
        try {
          await contacts.requestEmail(visit.user.id, email, asker(visit))
          await visit.show('account/email-sent', { trail: trail(visit), email })
        } catch (error) {
          await showAgain(visit, 'account/email', 'email', email, error)
        }
      },
    },
    {
      method: 'GET',
      path: '/email/confirm',
      async handle(visit) {
        const link = visit.query('link')
        const email = await contacts.findEmail(visit.user.id, link)
        const status = email === undefined ? 400 : 200
        await visit.show('account/confirm-email', { trail: trail(visit), link, email }, status)
      },
    },
    {
      method: 'POST',
      path: '/email/confirm',
      async handle(visit, form) {
        const link = form.text('link')
        try {
          await contacts.confirmEmail(visit.user.id, link)
          visit.go('', 'emailChanged')
        } catch (error) {
          await visit.show('account/confirm-email', { trail: trail(visit), link, problem: visit.problemOf(error) }, 400)
        }
      },
    },
    { method: 'GET', path: '/phone', isDangerous: true, handle: showPhone },
    {
      method: 'POST',
      path: '/phone',
      isDangerous: true,
      async handle(visit, form) {
        const phone = form.text('phone')
        try {
          await contacts.requestPhone(visit.user.id, phone, asker(visit))
          visit.go('/phone/code')
        } catch (error) {
          await showAgain(visit, 'account/phone', 'phone', phone, error, current(visit))
        }
      },
    },
    { method: 'GET', path: '/phone/code', handle: showCode },
    {
      method: 'POST',
      path: '/phone/code',
      async handle(visit, form) {
        try {
          await contacts.confirmPhone(visit.user.id, form.text('code'), { address: visit.ctx.ip })
          visit.go('', 'phoneChanged')
        } catch (error) {
          // The last wrong one ends the code: there is nothing left to be typed.
          const phone = await contacts.findPhone(visit.user.id)
          if (phone === undefined) return showAgain(visit, 'account/phone', 'phone', '', error, current(visit))
          await showAgain(visit, 'account/phone-code', 'code', '', error, { phone })
        }
      },
    },
    ...confirmation({
      path: '/phone/remove',
      async ask({ user, texts: { t } }) {
        const { phone } = user.profile
        if (phone === undefined) return undefined
        return {
          title: t('account.phone.remove'),
          what: t('account.phone.removeWhat', { phone }),
          submit: t('account.phone.remove'),
          back: '/account/phone',
        }
      },
      async act(visit) {
        await contacts.removePhone(visit.user.id)
        visit.go('', 'removed')
      },
    }),
  ]
}
