/**
 * Interactions: the pages between an application's request and its answer: sign in, choose an account, consent; and what the engine shows of
 * itself: sign out, device, errors.
 *
 * Owns forms and their words. The engine says what is wanted and is told what came of it; the domain says who somebody is. Every page is
 * complete without JavaScript.
 */
import type { Context } from 'koa'
import { ProofExpired } from '#src/domain/accounts/accounts.ts'
import type { Deletions } from '#src/domain/accounts/deletion.ts'
import type { PasswordReset } from '#src/domain/accounts/passwordReset.ts'
import type { Registration } from '#src/domain/accounts/registration.ts'
import type { PageLogins } from '#src/domain/apps/pageLogins.ts'
import type { Begun } from '#src/domain/apps/providers/oauth.ts'
import type { AuditStore } from '#src/domain/audit/events.ts'
import type { Recorder } from '#src/domain/audit/recorder.ts'
import type { SignIn } from '#src/domain/users/signIn.ts'
import type { User, UserId } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import type { Interaction, Interactions } from '#src/engine/interactions.ts'
import type { Csrf } from '../kit/csrf.ts'
import type { KnownDevices } from '../kit/device.ts'
import type { Endpoint } from '../kit/endpoint.ts'
import type { Pages } from '../kit/pages.ts'
import { describeAccess } from '../kit/scopes.ts'
import { createInteractionForms } from './forms.ts'
import { passwordResetEndpoints } from './passwordReset.ts'
import { createRegistrationPages } from './registration.ts'

export interface InteractionsDeps {
  readonly interactions: Interactions
  readonly signIn: SignIn
  readonly pageLogins: PageLogins
  /** Lets this browser, and no other, come back from a provider. */
  readonly keepBegun: (ctx: Context, begun: Begun) => void
  /** What a person is told of an error; `undefined` for one that nobody expected. */
  readonly problemOf: (error: unknown) => string | undefined
  readonly users: Pick<Users, 'find'>
  /** The project that stands for Dossier itself. */
  readonly ownProjectId: string
  readonly registration: Registration
  readonly passwordReset: PasswordReset
  readonly deletions: Pick<Deletions, 'offerToStay' | 'stay'>
  readonly audit: Pick<AuditStore, 'record'>
  readonly recorder: Recorder
  readonly csrf: Csrf
  readonly devices: KnownDevices
  readonly pages: Pages
}

/** The addresses of the interaction pages. */
export function interactionEndpoints({
  interactions,
  signIn,
  pageLogins,
  keepBegun,
  problemOf,
  users,
  ownProjectId,
  registration,
  passwordReset,
  deletions,
  audit,
  recorder,
  csrf,
  devices,
  pages,
}: InteractionsDeps): readonly Endpoint[] {
  const forms = createInteractionForms({ interactions, csrf, pages })
  const { found, gone, common, submitted } = forms

  async function show(ctx: Context): Promise<void> {
    const interaction = await found(ctx)
    if (!interaction) return gone(ctx)
    if (interaction.prompt === 'consent') return showConsent(ctx, interaction)
    if (interaction.prompt === 'select_account' && interaction.accountId) return showAccounts(ctx, interaction)
    // Whoever is asked to make an account may have one.
    const isNew = interaction.prompt === 'create' && ctx.query['sign-in'] === undefined && (await registration.isOpen())
    return isNew ? registrationPages.show(ctx, interaction) : showSignIn(ctx, interaction, { username: interaction.loginHint ?? '' })
  }

  async function showSignIn(
    ctx: Context,
    interaction: Interaction,
    facts: { username: string; problem?: string; done?: string },
    status = 200,
  ): Promise<void> {
    const [providers, mayRegister] = await Promise.all([pageLogins.buttons(), registration.isOpen()])
    await pages.show(ctx, 'interactions/sign-in', { ...common(ctx, interaction), providers, mayRegister, ...facts }, status)
  }

  async function showAccounts(ctx: Context, interaction: Interaction): Promise<void> {
    const user = await users.find(interaction.accountId as UserId)
    if (!user) return showSignIn(ctx, interaction, { username: '' })
    await pages.show(ctx, 'interactions/select-account', { ...common(ctx, interaction), username: user.username })
  }

  const showConsent = (ctx: Context, interaction: Interaction) =>
    pages.show(ctx, 'interactions/consent', {
      ...common(ctx, interaction),
      items: describeAccess(pages.textsFor(ctx), {
        scopes: interaction.wantedScopes,
        claims: interaction.missingClaims,
        ownProjectId,
      }),
    })

  /** Signs somebody in who has proved who they are otherwise than by a sign-in. */
  async function signInAs(ctx: Context, { clientId }: Interaction, accountId: string): Promise<void> {
    const itself = { kind: 'user', id: accountId } as const
    await interactions.signIn(ctx, { accountId, amr: ['pwd'] })
    await audit.record([recorder.event('user.signed_in', itself, itself, { clientId, amr: ['pwd'], address: ctx.ip })])
  }

  const registrationPages = createRegistrationPages({ forms, registration, signInAs, csrf, pages })

  /** Whoever deletes their account has just proved who they are, and may keep it. */
  async function offerToStay(ctx: Context, interaction: Interaction, user: User): Promise<void> {
    const date = pages.textsFor(ctx).long(new Date(user.deletionAt ?? 0))
    const facts = { username: user.username, date, offer: await deletions.offerToStay(user) }
    await pages.show(ctx, 'interactions/keep-account', { ...common(ctx, interaction), ...facts })
  }

  const stay = submitted(async (ctx, interaction, form) => {
    const user = await deletions.stay(form.get('offer') ?? '').catch(unlessTooLate)
    if (user) return signInAs(ctx, interaction, user.id)
    return showSignIn(ctx, interaction, { username: '', problem: pages.textsFor(ctx).t('interactions.keepAccount.tooLate') }, 400)
  })

  const login = submitted(async (ctx, interaction, form) => {
    if (interaction.prompt === 'consent') return show(ctx)
    const name = (form.get('username') ?? '').trim()
    const password = form.get('password') ?? ''
    if (name === '' || password === '')
      return showSignIn(ctx, interaction, { username: name, problem: pages.textsFor(ctx).t('interactions.signIn.missing') }, 400)
    const result = await signIn({ name, password, address: ctx.ip, knownDevice: devices.find(ctx, name), clientId: interaction.clientId })
    if (result.kind === 'throttled')
      return showSignIn(ctx, interaction, { username: name, problem: forms.tooMany(ctx, result.retryAfterSeconds) }, 429)
    if (result.kind === 'leaving') return offerToStay(ctx, interaction, result.user)
    if (result.kind === 'refused')
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
    if (arrival.kind === 'leaving') return offerToStay(ctx, interaction, arrival.user)
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
    { method: 'POST', path: '/interaction/:uid/keep', handle: stay },
    ...registrationPages.endpoints,
    ...passwordResetEndpoints({ forms, passwordReset, showSignIn, csrf, pages }),
    { method: 'POST', path: '/interaction/:uid/deny', handle: submitted((ctx) => interactions.deny(ctx)) },
  ]
}

function unlessTooLate(error: unknown): undefined {
  if (error instanceof ProofExpired) return undefined
  throw error
}
