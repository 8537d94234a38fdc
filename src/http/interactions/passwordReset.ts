import type { Context } from 'koa'
import { AccountInvalid, ProofExpired, TooManyRequests } from '#src/domain/accounts/accounts.ts'
import type { PasswordReset } from '#src/domain/accounts/passwordReset.ts'
import type { Interaction } from '#src/engine/interactions.ts'
import type { Csrf } from '../kit/csrf.ts'
import type { Endpoint } from '../kit/endpoint.ts'
import { faultTexts } from '../kit/faults.ts'
import type { Pages } from '../kit/pages.ts'
import type { Form, InteractionForms } from './forms.ts'

export interface PasswordResetPagesDeps {
  readonly forms: InteractionForms
  readonly passwordReset: PasswordReset
  readonly showSignIn: (ctx: Context, interaction: Interaction, facts: { username: string; done?: string }) => Promise<void>
  readonly csrf: Csrf
  readonly pages: Pages
}

const asking = 'ask for a password'
const choosing = 'choose a password'

/** Asking for a link to another password, in an interaction or by itself, and the page that the link leads to. */
export function passwordResetEndpoints({ forms, passwordReset, showSignIn, csrf, pages }: PasswordResetPagesDeps): readonly Endpoint[] {
  const showAsking = (ctx: Context, data: object, status = 200) => pages.show(ctx, 'interactions/reset', { username: '', ...data }, status)
  const alone = (ctx: Context) => ({ action: '/reset', back: '/account', csrf: csrf.token(ctx, asking) })
  const within = (ctx: Context, interaction: Interaction) => ({
    action: `/interaction/${interaction.uid}/reset`,
    back: `/interaction/${interaction.uid}`,
    ...forms.common(ctx, interaction),
  })

  async function ask(ctx: Context, form: Form, page: { readonly action: string }, interaction?: string): Promise<void> {
    const { t, language } = pages.textsFor(ctx)
    const name = (form.get('username') ?? '').trim()
    if (name === '') return showAsking(ctx, { ...page, problem: t('interactions.reset.missing') }, 400)
    try {
      await passwordReset.request(name, { locale: language, address: ctx.ip, ...(interaction !== undefined && { interaction }) })
    } catch (error) {
      if (!(error instanceof TooManyRequests)) throw error
      return showAsking(ctx, { ...page, username: name, problem: forms.tooMany(ctx, error.retryAfterSeconds) }, 429)
    }
    ctx.status = 303
    ctx.redirect(`${page.action}/sent`)
  }

  const showSent = (ctx: Context, href: string) => {
    const { t } = pages.textsFor(ctx)
    const back = { href, label: t('interactions.notice.signIn') }
    return pages.show(ctx, 'interactions/notice', { title: t('interactions.resetSent.title'), say: t('interactions.resetSent.say'), back })
  }

  const expired = (ctx: Context) => {
    const { t } = pages.textsFor(ctx)
    const back = { href: '/reset', label: t('interactions.resetExpired.again') }
    const told = { title: t('interactions.resetExpired.title'), say: t('interactions.resetExpired.say'), back }
    return pages.show(ctx, 'interactions/notice', told, 400)
  }

  async function showChoosing(ctx: Context, link: unknown, faults: object = {}, status = 200): Promise<void> {
    const user = typeof link === 'string' ? await passwordReset.find(link) : undefined
    if (!user) return expired(ctx)
    await pages.show(ctx, 'interactions/reset-password', { link, username: user.username, faults, csrf: csrf.token(ctx, choosing) }, status)
  }

  const choose = forms.alone(choosing, async (ctx, form) => {
    const link = form.get('link') ?? ''
    try {
      const { interaction } = await passwordReset.reset(link, form.get('password') ?? '')
      ctx.status = 303
      ctx.redirect(interaction === undefined ? '/reset/done' : `/interaction/${encodeURIComponent(interaction)}/reset/done`)
    } catch (error) {
      if (error instanceof ProofExpired) return expired(ctx)
      if (!(error instanceof AccountInvalid)) throw error
      return showChoosing(ctx, link, faultTexts(pages.textsFor(ctx), error.faults), 400)
    }
  })

  /** At the sign-in that it was begun from, if that is still there in this browser. */
  async function showDone(ctx: Context): Promise<void> {
    const interaction = ctx.params?.uid === undefined ? undefined : await forms.found(ctx)
    const { t } = pages.textsFor(ctx)
    if (interaction) return showSignIn(ctx, interaction, { username: '', done: t('interactions.resetDone.say') })
    const back = { href: '/account', label: t('interactions.notice.signIn') }
    return pages.show(ctx, 'interactions/notice', { title: t('interactions.resetDone.title'), say: t('interactions.resetDone.say'), back })
  }

  return [
    { method: 'GET', path: '/reset', handle: (ctx) => showAsking(ctx, alone(ctx)) },
    { method: 'POST', path: '/reset', handle: forms.alone(asking, (ctx, form) => ask(ctx, form, alone(ctx))) },
    { method: 'GET', path: '/reset/sent', handle: (ctx) => showSent(ctx, '/account') },
    { method: 'GET', path: '/reset/password', handle: (ctx) => showChoosing(ctx, ctx.query.link) },
    { method: 'POST', path: '/reset/password', handle: choose },
    { method: 'GET', path: '/reset/done', handle: showDone },
    {
      method: 'GET',
      path: '/interaction/:uid/reset',
      handle: forms.opened((ctx, interaction) => showAsking(ctx, { ...within(ctx, interaction), username: interaction.loginHint ?? '' })),
    },
    {
      method: 'POST',
      path: '/interaction/:uid/reset',
      handle: forms.submitted((ctx, interaction, form) => ask(ctx, form, within(ctx, interaction), interaction.uid)),
    },
    {
      method: 'GET',
      path: '/interaction/:uid/reset/sent',
      handle: forms.opened((ctx, interaction) => showSent(ctx, `/interaction/${interaction.uid}`)),
    },
    { method: 'GET', path: '/interaction/:uid/reset/done', handle: showDone },
  ]
}
