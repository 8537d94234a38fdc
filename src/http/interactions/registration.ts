import type { Context } from 'koa'
import { AccountInvalid, NotSelfManaged, TooManyRequests } from '#src/domain/accounts/accounts.ts'
import type { Confirmation, Registration } from '#src/domain/accounts/registration.ts'
import type { Label } from '#src/domain/applications/application.ts'
import type { Interaction } from '#src/engine/interactions.ts'
import type { Csrf } from '../kit/csrf.ts'
import type { Endpoint } from '../kit/endpoint.ts'
import { faultTexts } from '../kit/faults.ts'
import type { Pages } from '../kit/pages.ts'
import { answerProblem } from '../kit/problems.ts'
import type { Form, InteractionForms } from './forms.ts'

export interface RegistrationPagesDeps {
  readonly forms: InteractionForms
  readonly registration: Registration
  /** Signs somebody in who has just proved who they are. */
  readonly signInAs: (ctx: Context, interaction: Interaction, userId: string) => Promise<void>
  readonly csrf: Csrf
  readonly pages: Pages
}

const purpose = 'confirm registration'
const typed = ['username', 'email', 'givenName', 'familyName'] as const
const prefix = 'field:'

/** What a person types to make an account, and the page that a message leads to. */
export function createRegistrationPages({ forms, registration, signInAs, csrf, pages }: RegistrationPagesDeps) {
  const closed = (ctx: Context) =>
    answerProblem(ctx, pages, { status: 403, code: 'registration_closed', title: 'notAllowed', sentence: 'registrationClosed' })

  interface Shown {
    readonly form?: Form
    readonly faults?: Readonly<Record<string, string>>
    readonly problem?: string
  }

  async function show(ctx: Context, interaction: Interaction, { form, faults = {}, problem }: Shown = {}, status = 200): Promise<void> {
    const texts = pages.textsFor(ctx)
    const fields = (await registration.fields()).map(({ key, label, required }) => {
      const name = prefix + key
      return { name, label: labelIn(label, texts.language), required, value: form?.get(name) ?? '', fault: faults[`fields.${key}`] }
    })
    const values = Object.fromEntries(typed.map((name) => [name, form?.get(name) ?? '']))
    await pages.show(ctx, 'interactions/register', { ...forms.common(ctx, interaction), fields, values, faults, problem }, status)
  }

  const open = forms.opened(async (ctx, interaction) => ((await registration.isOpen()) ? show(ctx, interaction) : closed(ctx)))

  const register = forms.submitted(async (ctx, interaction, form) => {
    const texts = pages.textsFor(ctx)
    const text = (name: string) => form.get(name) ?? ''
    const fields = [...form].filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name.slice(prefix.length), value] as const)
    try {
      const browser = csrf.browserOf(ctx)
      const names = { username: text('username'), email: text('email'), givenName: text('givenName'), familyName: text('familyName') }
      const about = { locale: texts.language, interaction: interaction.uid, ...(browser !== undefined && { browser }) }
      await registration.begin({ ...names, password: text('password'), fields: Object.fromEntries(fields), ...about }, { address: ctx.ip })
    } catch (error) {
      if (error instanceof NotSelfManaged) return closed(ctx)
      if (error instanceof AccountInvalid) return show(ctx, interaction, { form, faults: faultTexts(texts, error.faults) }, 400)
      if (!(error instanceof TooManyRequests)) throw error
      return show(ctx, interaction, { form, problem: forms.tooMany(ctx, error.retryAfterSeconds) }, 429)
    }
    // Another address, so that nobody sends the form again by reloading the page.
    ctx.status = 303
    ctx.redirect(`/interaction/${interaction.uid}/register/sent`)
  })

  const sent = forms.opened(async (ctx, interaction) => {
    const { t } = pages.textsFor(ctx)
    const back = { href: `/interaction/${interaction.uid}`, label: t('interactions.notice.signIn') }
    await pages.show(ctx, 'interactions/notice', {
      title: t('interactions.registerSent.title'),
      say: t('interactions.registerSent.say'),
      back,
    })
  })

  const notice = (ctx: Context, kind: 'ready' | 'used' | 'addressTaken' | 'expired', status: number) => {
    const { t } = pages.textsFor(ctx)
    const back = { href: '/account', label: t('interactions.notice.signIn') }
    const told = { title: t(`interactions.registered.${kind}.title`), say: t(`interactions.registered.${kind}.say`), back }
    return pages.show(ctx, 'interactions/notice', told, status)
  }

  /** The button that the link in the message leads to: who only looks at links does not press it. */
  async function ask(
    ctx: Context,
    link: string,
    { username, isTaken = false, problem, faults = {} }: { username?: string; isTaken?: boolean; problem?: string; faults?: object } = {},
    status = 200,
  ): Promise<void> {
    const pending = await registration.find(link, csrf.browserOf(ctx))
    if (!pending) return notice(ctx, 'expired', 400)
    const { email, isKnown } = pending
    const facts = { link, email, isKnown, isTaken, username: username ?? pending.username, problem, faults }
    await pages.show(ctx, 'interactions/confirm-registration', { ...facts, csrf: csrf.token(ctx, purpose) }, status)
  }

  async function lookAtLink(ctx: Context): Promise<void> {
    const { link } = ctx.query
    return typeof link === 'string' ? ask(ctx, link) : notice(ctx, 'expired', 400)
  }

  async function answer(ctx: Context, link: string, form: Form, confirmation: Confirmation): Promise<void> {
    const { t } = pages.textsFor(ctx)
    switch (confirmation.kind) {
      case 'passwordWanted': {
        const problem = t(confirmation.isWrong ? 'interactions.signIn.passwordWrong' : 'interactions.confirmRegistration.passwordMissing')
        return ask(ctx, link, { username: form.get('username'), isTaken: form.has('username'), problem }, 400)
      }
      case 'usernameTaken': {
        const { username } = confirmation
        return ask(ctx, link, { username, isTaken: true, faults: { username: t('fault.username.taken') } }, 409)
      }
      case 'confirmed': {
        const { user, interaction } = confirmation
        if (interaction === undefined) return notice(ctx, 'ready', 200)
        const ticket = await registration.arrive(user, interaction)
        ctx.status = 303
        ctx.redirect(`/interaction/${encodeURIComponent(interaction)}/registered?ticket=${ticket}`)
        return undefined
      }
      default:
        return notice(ctx, confirmation.kind, confirmation.kind === 'expired' ? 400 : 200)
    }
  }

  const confirm = forms.alone(purpose, async (ctx, form) => {
    const texts = pages.textsFor(ctx)
    const link = form.get('link') ?? ''
    const username = form.get('username')
    try {
      const given = { username, password: form.get('password'), browser: csrf.browserOf(ctx), address: ctx.ip }
      return await answer(ctx, link, form, await registration.confirm(link, given))
    } catch (error) {
      if (error instanceof NotSelfManaged) return closed(ctx)
      if (error instanceof AccountInvalid) return ask(ctx, link, { username, isTaken: true, faults: faultTexts(texts, error.faults) }, 400)
      if (!(error instanceof TooManyRequests)) throw error
      const problem = forms.tooMany(ctx, error.retryAfterSeconds)
      return ask(ctx, link, { username, isTaken: username !== undefined, problem }, 429)
    }
  })

  /** Back at the interaction, if it is still there in this browser; whoever comes by another one signs in as usual. */
  async function arrive(ctx: Context): Promise<void> {
    const interaction = await forms.found(ctx)
    const { ticket } = ctx.query
    const userId = interaction && typeof ticket === 'string' ? await registration.arrived(ticket, interaction.uid) : undefined
    return interaction && userId !== undefined ? signInAs(ctx, interaction, userId) : notice(ctx, 'ready', 200)
  }

  const endpoints: readonly Endpoint[] = [
    { method: 'GET', path: '/interaction/:uid/register', handle: open },
    { method: 'POST', path: '/interaction/:uid/register', handle: register },
    { method: 'GET', path: '/interaction/:uid/register/sent', handle: sent },
    { method: 'GET', path: '/interaction/:uid/registered', handle: arrive },
    { method: 'GET', path: '/register/confirm', handle: lookAtLink },
    { method: 'POST', path: '/register/confirm', handle: confirm },
  ]
  return { endpoints, show }
}

/** A label in a language, in English, or in any that there is. */
const labelIn = (label: Label, language: string): string =>
  typeof label === 'string' ? label : (label[language] ?? label.en ?? Object.values(label)[0] ?? '')
