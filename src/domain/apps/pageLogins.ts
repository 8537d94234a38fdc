/**
 * Providers of apps on Dossier's own sign-in page. Somebody who is known by an identity is signed in; somebody whose verified e-mail address is another user's must prove
 * to be that user first, by the password; anybody else becomes a user of the app.
 */
import { DomainError } from '#src/base/errors.ts'
import type { AuditStore } from '../audit/events.ts'
import type { Recorder } from '../audit/recorder.ts'
import type { CheckPassword } from '../users/signIn.ts'
import type { User } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import type { AppView } from './app.ts'
import type { Apps } from './apps.ts'
import type { CallerFacts } from './functions.ts'
import type { Logins } from './logins.ts'
import type { Begun, OAuth } from './providers/oauth.ts'

export interface ProviderButton {
  /** `google`, or `google-myapp-abcde` where several apps have one. */
  readonly name: string
  readonly label: string
}

/** What came of coming back from a provider. */
export type Arrival =
  | { readonly kind: 'signedIn'; readonly user: User }
  /** Known, and about to be deleted: the account may be kept. */
  | { readonly kind: 'leaving'; readonly user: User }
  /** `username` has the address that the provider vouches for. */
  | { readonly kind: 'proofWanted'; readonly username: string; readonly label: string }
  | { readonly kind: 'failed'; readonly problem: string }

export interface PageLoginsDeps {
  readonly apps: Pick<Apps, 'list' | 'find'>
  readonly oauth: Pick<OAuth, 'beginOnPage' | 'findTicket' | 'spend'>
  readonly users: Pick<Users, 'find' | 'findByIdentity' | 'findByLoginName'>
  readonly enter: Logins['enter']
  readonly checkPassword: CheckPassword
  readonly audit: Pick<AuditStore, 'record'>
  readonly recorder: Recorder
}

class NoSuchProvider extends DomainError {
  readonly code = 'federation.no_such_provider'
  constructor(name: string) {
    super(`there is no provider ${JSON.stringify(name)} to sign in with`)
  }
}

const isActive = ({ state }: User) => state === 'active'

const labels: Readonly<Record<string, string>> = { google: 'Google', facebook: 'Facebook', apple: 'Apple' }
const expired: Arrival = { kind: 'failed', problem: 'This sign-in has expired. Try again.' }

export type PageLogins = ReturnType<typeof createPageLogins>

export function createPageLogins({ apps, oauth, users, enter, checkPassword, audit, recorder }: PageLoginsDeps) {
  async function offers(): Promise<readonly (ProviderButton & { readonly view: AppView; readonly type: string })[]> {
    const all = (await apps.list()).flatMap((view) =>
      [...view.configuration.providers.values()]
        .filter(({ type, disabled, config }) => type.startsWith('oauth2-') && !disabled && config?.clientId)
        .map(({ type }) => ({ view, type, short: type.slice('oauth2-'.length) })),
    )
    return all.map(({ view, type, short }) => {
      const isOnly = all.filter((each) => each.type === type).length === 1
      const label = labels[short] ?? short
      return {
        view,
        type,
        name: isOnly ? short : `${short}-${view.app.clientAppId}`,
        label: isOnly ? label : `${label} (${view.app.name})`,
      }
    })
  }

  async function signedIn(user: User, type: string, clientId: string, { address }: CallerFacts): Promise<Arrival> {
    if (user.state === 'inactive' && user.deletionAt !== undefined) return { kind: 'leaving', user }
    if (!isActive(user)) return { kind: 'failed', problem: 'This account cannot be used. Ask the people who run this service.' }
    const itself = { kind: 'user', id: user.id } as const
    await audit.record([recorder.event('user.signed_in', itself, itself, { clientId, amr: [type], address })])
    return { kind: 'signedIn', user }
  }

  return {
    /** What the sign-in page offers. */
    buttons: async (): Promise<readonly ProviderButton[]> => (await offers()).map(({ name, label }) => ({ name, label })),

    /** The button of one provider of an app; `undefined` when it has none. */
    async buttonOf({ app }: Pick<AppView, 'app'>, type: string): Promise<ProviderButton | undefined> {
      const offer = (await offers()).find((each) => each.view.app.id === app.id && each.type === type)
      return offer && { name: offer.name, label: offer.label }
    },

    /** @throws NoSuchProvider, AppRefused, ProviderRefused */
    async begin(name: string, interaction: string): Promise<Begun> {
      const offer = (await offers()).find((each) => each.name === name)
      if (!offer) throw new NoSuchProvider(name)
      return oauth.beginOnPage(offer.view, offer.type, interaction)
    },

    /** Goes on with what a login came to; with a password when that was wanted. @throws TooManyAttempts, FunctionFailed, Busy */
    async arrive(
      ticket: string,
      {
        interaction,
        clientId,
        facts,
        password,
      }: { readonly interaction: string; readonly clientId: string; readonly facts: CallerFacts; readonly password?: string },
    ): Promise<Arrival> {
      const found = await oauth.findTicket(ticket, interaction)
      const view = found && (await apps.find(found.app))
      if (!view) return expired
      if ('problem' in found) return { kind: 'failed', problem: found.problem }
      const { vouched, type } = found
      const known = await users.findByIdentity({ app: view.app.id, provider: vouched.provider, key: vouched.key })
      const { email, emailVerified } = vouched.profile ?? {}
      const owner = !known && email && emailVerified ? await users.findByLoginName(email) : undefined
      if (owner) {
        const isProved =
          password !== undefined && isActive(owner) && (await checkPassword({ user: owner, password, address: facts.address }))
        if (!isProved)
          return {
            kind: 'proofWanted',
            username: owner.username,
            label: labels[type.slice('oauth2-'.length)] ?? type.slice('oauth2-'.length),
          }
      }
      if (!(await oauth.spend(ticket))) return expired
      if (known && !isActive(known)) return signedIn(known, type, clientId, facts)
      return signedIn(await enter(view, { ...vouched, ...(owner && { user: owner }) }, facts), type, clientId, facts)
    },
  }
}
