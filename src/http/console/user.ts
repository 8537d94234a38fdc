/** What all pages about one user share: whom they are about, what stands above each, and that nobody changes somebody who may do more than they. */
import { type Managing, NotAllowed } from '#src/domain/applications/managing.ts'
import type { User, UserId } from '#src/domain/users/user.ts'
import type { Users } from '#src/domain/users/users.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { type Confirmation, confirmation, type Question } from '../kit/confirmation.ts'
import type { SentForm } from '../kit/sentForm.ts'

export interface UserNeeds {
  readonly users: Users
  readonly managing: Managing
}

export interface UserPage extends Pick<AreaPage, 'method' | 'permission' | 'isDangerous' | 'isLong' | 'limitBytes'> {
  /** Below the address of the user. */
  readonly path: string
  /** Whether it is only for those who may change this user; forms are, unless they say otherwise. */
  readonly isForChange?: boolean
  readonly handle: (visit: Visit, user: User, form: SentForm) => Promise<void> | void
}

/** The part of a user's pages that is shown. */
type Tab = 'overview' | 'metadata' | 'custom-data' | 'roles' | 'sessions' | 'credentials' | 'identities' | 'history'

const tabs: readonly (readonly [tab: Tab, permission: string])[] = [
  ['overview', 'user.read'],
  ['metadata', 'user.read'],
  ['custom-data', 'user.read'],
  ['roles', 'user.grant.read'],
  ['sessions', 'session.read'],
  ['credentials', 'user.read'],
  ['identities', 'user.read'],
  ['history', 'user.read'],
]

/** The name that people see. */
export const nameOf = ({ username, profile: { displayName, givenName, familyName } }: User): string =>
  displayName ?? ([givenName, familyName].filter(Boolean).join(' ') || username)

/** Where a user's pages are, within the area. */
export const pathOf = ({ id }: Pick<User, 'id'>, below = '') => `/users/${id}${below}`

/** A page about a user: 404 when there is no such user, 403 when the visitor may not change them. */
export function userPage(
  { users, managing }: UserNeeds,
  { method, path, permission, isDangerous, isLong, limitBytes, isForChange = method === 'POST', handle }: UserPage,
): AreaPage {
  return {
    method,
    path: `/users/:id${path}`,
    permission,
    isDangerous,
    isLong,
    limitBytes,
    async handle(visit, form) {
      const user = await users.find(visit.params.id as UserId)
      if (!user) return visit.missing()
      if (isForChange && !managing.mayChange(visit, user)) return visit.refuse()
      try {
        await handle(visit, user, form)
      } catch (error) {
        if (!(error instanceof NotAllowed)) throw error
        await visit.refuse()
      }
    },
  }
}

/** A question before something that is done to a user whom the visitor may change. */
export function userConfirmation(
  needs: UserNeeds,
  {
    path,
    permission,
    ask,
    act,
  }: Pick<Confirmation, 'permission'> & {
    /** Below the address of the user. */
    readonly path: string
    /** `undefined` when what it is about is not there. */
    readonly ask: (visit: Visit, user: User) => Promise<Question | undefined> | Question | undefined
    readonly act: (visit: Visit, user: User, form: SentForm) => Promise<void>
  },
): readonly AreaPage[] {
  const found = (visit: Visit) => needs.users.get(visit.params.id as UserId)
  return confirmation({
    path,
    permission,
    ask: async (visit) => ask(visit, await found(visit)),
    act: async (visit, form) => act(visit, await found(visit), form),
  }).map((page) => userPage(needs, { ...page, isForChange: true, handle: (visit, _user, form) => page.handle(visit, form) }))
}

/** Shows a page about a user below their name and the way to the other pages about them. */
export function showUser(
  { managing }: Pick<UserNeeds, 'managing'>,
  visit: Visit,
  user: User,
  tab: Tab,
  data: Readonly<Record<string, unknown>> & {
    readonly template?: string
    readonly status?: number
    /** What this page is about, where it is not the whole tab. */
    readonly heading?: string
  } = {},
): Promise<void> {
  const { template = tab === 'overview' ? 'user' : `user${upper(tab)}`, status, heading, ...rest } = data
  const base = `/console${pathOf(user)}`
  const mayChange = managing.mayChange(visit, user)
  const shown = tabs.filter(([, permission]) => visit.may(permission))
  return visit.show(
    `console/${template}`,
    {
      ...rest,
      trail: visit.may('user.read') ? [{ href: '/console/users', label: visit.texts.t('consoleUsers.title') }] : [],
      subject: {
        user,
        name: nameOf(user),
        base,
        isSelf: user.id === visit.user.id,
        mayChange,
        /** Whether the visitor may do something to this user. */
        may: (permission: string) => mayChange && visit.may(permission),
        heading: heading ?? visit.texts.t(`consoleUsers.tab.${tab}`),
        tabs: shown.map(([each]) => ({
          href: each === 'overview' ? base : `${base}/${each}`,
          label: visit.texts.t(`consoleUsers.tab.${each}`),
          isCurrent: each === tab,
        })),
      },
    },
    status,
  )
}

const upper = (tab: string) => tab.replace(/(^|-)[a-z]/g, (letter) => letter.slice(-1).toUpperCase())

/** Does to another what may shut them out, and never to the last administrator. @throws NotToYourself, NotAllowed, Busy */
export function shuttingOut<T>({ managing }: Pick<UserNeeds, 'managing'>, visit: Visit, user: User, work: () => Promise<T>): Promise<T> {
  managing.assertAnother(visit, user)
  return managing.keepingAnAdministrator(visit, user, work)
}
