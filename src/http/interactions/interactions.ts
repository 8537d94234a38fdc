/**
 * Interactions: the pages between an application's request and its answer: sign in, choose an account, consent; and what the engine shows of
 * itself: sign out, device, errors.
 *
 * Owns forms and their words. The engine says what is wanted and is told what came of it; the domain says who somebody is. Every page is
 * complete without JavaScript.
 */
import type { Context } from 'koa'
import type { PageLogins } from '#src/domain/apps/pageLogins.ts'
import type { Begun } from '#src/domain/apps/providers/oauth.ts'
import type { AuditStore } from '#src/domain/audit/events.ts'
import type { Recorder } from '#src/domain/audit/recorder.ts'
import type { SignIn } from '#src/domain/users/signIn.ts'
import type { UserId } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import type { Interaction, Interactions } from '#src/engine/interactions.ts'
import { readForm } from '../kit/body.ts'
import type { RequestState } from '../kit/context.ts'
import type { Csrf } from '../kit/csrf.ts'
import type { KnownDevices } from '../kit/device.ts'
import type { Endpoint } from '../kit/endpoint.ts'
import type { Pages } from '../kit/pages.ts'
import { answerProblem } from '../kit/problems.ts'
import { describeAccess } from '../kit/scopes.ts'

export interface InteractionsDeps {
  readonly interactions: Interactions
  readonly signIn: SignIn
  readonly pageLogins: PageLogins
  /** Lets this browser, and no other, come back from a provider. */
  readonly keepBegun: (ctx: Context, begun: Begun) => void
  /** What a person is told of an error; `undefined` for one that nobody expected. */
  readonly problemOf: (error: unknown) => string | undefined
  readonly users: Pick<Users, 'find'>
  readonly audit: Pick<AuditStore, 'record'>
  readonly recorder: Recorder
  readonly csrf: Csrf
  readonly devices: KnownDevices
  readonly pages: Pages
}

type Form = ReadonlyMap<string, string>

/** The addresses of the interaction pages. */
export function interactionEndpoints({
  interactions,
  signIn,
  pageLogins,
  keepBegun,
  problemOf,
  users,
  audit,
  recorder,
  csrf,
  devices,
  pages,
}: InteractionsDeps): readonly Endpoint[] {
  const purpose = (interaction: Interaction) => `interaction:${interaction.uid}`
  const common = (ctx: Context, interaction: Interaction) => ({ interaction, csrf: csrf.token(ctx, purpose(interaction)) })

  /** The interaction of this browser; its pages speak the language that the application asked for. */
  async function found(ctx: Context): Promise<Interaction | undefined> {
    const interaction = await interactions.find(ctx)
    if (interaction?.uiLocales !== undefined) (ctx.state as RequestState).uiLocales = interaction.uiLocales
    return interaction
  }

  const gone = (ctx: Context) =>
    answerProblem(ctx, pages, {
      status: 400,
      code: 'session_not_found',
      sentence: 'signInGone',
    })

  async function show(ctx: Context): Promise<void> {
    const interaction = await found(ctx)
    if (!interaction) return gone(ctx)
    if (interaction.prompt === 'consent') return showConsent(ctx, interaction)
    if (interaction.prompt === 'select_account' && interaction.accountId) return showAccounts(ctx, interaction)
    return showSignIn(ctx, interaction, { username: interaction.loginHint ?? '' })
  }

  const showSignIn = async (ctx: Context, interaction: Interaction, facts: { username: string; problem?: string }, status = 200) =>
    pages.show(ctx, 'interactions/sign-in', { ...common(ctx, interaction), providers: await pageLogins.buttons(), ...facts }, status)

  async function showAccounts(ctx: Context, interaction: Interaction): Promise<void> {
    const user = await users.find(interaction.accountId as UserId)
    if (!user) return showSignIn(ctx, interaction, { username: '' })
    await pages.show(ctx, 'interactions/select-account', { ...common(ctx, interaction), username: user.username })
  }

  const showConsent = (ctx: Context, interaction: Interaction) =>
    pages.show(ctx, 'interactions/consent', {
      ...common(ctx, interaction),
      items: describeAccess(pages.textsFor(ctx), { scopes: interaction.wantedScopes, claims: interaction.missingClaims }),
    })

  /** Runs `handle` when the form belongs to the interaction of this browser, and was made by us for it. */
  const submitted = (handle: (ctx: Context, interaction: Interaction, form: Form) => Promise<void>) => async (ctx: Context) => {
    const form = await readForm(ctx)
    const interaction = await found(ctx)
    if (!interaction) return gone(ctx)
    if (csrf.accepts(ctx, purpose(interaction), form.get('csrf'))) return handle(ctx, interaction, form)
    await answerProblem(ctx, pages, {
      status: 403,
      code: 'form_not_accepted',
      sentence: 'formNotAccepted',
    })
  }

  const login = submitted(async (ctx, interaction, form) => {
    if (interaction.prompt === 'consent') return show(ctx)
    const name = (form.get('username') ?? '').trim()
    const password = form.get('password') ?? ''
    if (name === '' || password === '')
      return showSignIn(ctx, interaction, { username: name, problem: pages.textsFor(ctx).t('interactions.signIn.missing') }, 400)
    const result = await signIn({ name, password, address: ctx.ip, knownDevice: devices.find(ctx, name), clientId: interaction.clientId })
    if (result.kind === 'throttled') {
      ctx.set('Retry-After', String(result.retryAfterSeconds))
      const problem = pages.textsFor(ctx).t('interactions.signIn.tooMany', { seconds: result.retryAfterSeconds })
      return showSignIn(ctx, interaction, { username: name, problem }, 429)
    }
    if (result.kind !== 'signedIn')
      return showSignIn(ctx, interaction, { username: name, problem: pages.textsFor(ctx).t('interactions.signIn.wrong') }, 400)
    devices.remember(ctx, name)
    await interactions.signIn(ctx, { accountId: result.user.id, amr: ['pwd'] })
  })

  const toProvider = submitted(async (ctx, interaction) => {
    try {
      const begun = await pageLogins.begin(ctx.params.name, interaction.uid)
      keepBegun(ctx, begun)
      ctx.set('Location', begun.address)
      ctx.body = null
      ctx.status = 303
    } catch (error) {
      const problem = problemOf(error)
      if (problem === undefined) throw error
      await showSignIn(ctx, interaction, { username: '', problem }, 400)
    }
  })

  /** Back from a provider: with the password, where the person had to prove an account. */
  async function arrive(ctx: Context, interaction: Interaction, password?: string): Promise<void> {
    const { ticket } = ctx.params as { ticket: string }
    const given = {
      interaction: interaction.uid,
      clientId: interaction.clientId,
      facts: { address: ctx.ip },
      ...(password !== undefined && { password }),
    }
    const arrival = await pageLogins.arrive(ticket, given).catch((error: unknown) => {
      const problem = problemOf(error)
      if (problem === undefined) throw error
      return { kind: 'failed', problem } as const
    })
    if (arrival.kind === 'failed') return showSignIn(ctx, interaction, { username: '', problem: arrival.problem }, 400)
    if (arrival.kind === 'signedIn') return interactions.signIn(ctx, { accountId: arrival.user.id, amr: ['fed'] })
    const { username, label } = arrival
    const facts = {
      ticket,
      username,
      label,
      ...(password !== undefined && { problem: pages.textsFor(ctx).t('interactions.signIn.passwordWrong') }),
    }
    return pages.show(ctx, 'interactions/link-account', { ...common(ctx, interaction), ...facts }, password === undefined ? 200 : 400)
  }

  async function comeBack(ctx: Context): Promise<void> {
    const interaction = await found(ctx)
    return interaction ? arrive(ctx, interaction) : gone(ctx)
  }

  const prove = submitted((ctx, interaction, form) => arrive(ctx, interaction, form.get('password') ?? ''))

  const consent = submitted(async (ctx, interaction) => {
    if (interaction.prompt !== 'consent' || !interaction.accountId) return show(ctx)
    const scope = await interactions.consent(ctx)
    const subject = { kind: 'user', id: interaction.accountId } as const
    await audit.record([recorder.event('user.consented', subject, subject, { clientId: interaction.clientId, scope })])
  })

  const keepAccount = submitted(async (ctx, interaction) => {
    if (interaction.prompt !== 'select_account') return show(ctx)
    await interactions.keepAccount(ctx)
  })

  const otherAccount = submitted((ctx, interaction) => showSignIn(ctx, interaction, { username: '' }))

  return [
    { method: 'GET', path: '/interaction/:uid', handle: show },
    { method: 'POST', path: '/interaction/:uid/login', handle: login },
    { method: 'POST', path: '/interaction/:uid/provider/:name', handle: toProvider },
    { method: 'GET', path: '/interaction/:uid/arrival/:ticket', handle: comeBack },
    { method: 'POST', path: '/interaction/:uid/arrival/:ticket', handle: prove },
    { method: 'POST', path: '/interaction/:uid/consent', handle: consent },
    { method: 'POST', path: '/interaction/:uid/account', handle: keepAccount },
    { method: 'POST', path: '/interaction/:uid/other', handle: otherAccount },
    { method: 'POST', path: '/interaction/:uid/deny', handle: submitted((ctx) => interactions.deny(ctx)) },
  ]
}
