/**
 * The account: what people see and do about themselves, as pages and, where programs ask, as an API (`sessions.ts`). It calls the functions of the domain that let nobody do more than
 * the settings allow, and never takes somebody's id from a request.
 */
import type { Contacts } from '#src/domain/accounts/contacts.ts'
import type { Deletions } from '#src/domain/accounts/deletion.ts'
import type { PasswordReset } from '#src/domain/accounts/passwordReset.ts'
import type { Profiles } from '#src/domain/accounts/profile.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { KnownByApps } from '#src/domain/apps/known.ts'
import type { AuditStore } from '#src/domain/audit/events.ts'
import type { Accesses } from '#src/domain/sessions/access.ts'
import type { Sessions } from '#src/domain/sessions/session.ts'
import type { Users } from '#src/domain/users/users.ts'
import { type AreaKit, areaEndpoints, type Section } from '../kit/area.ts'
import type { Endpoint } from '../kit/endpoint.ts'
import type { PageSessions } from '../kit/pageSessions.ts'
import type { Pages } from '../kit/pages.ts'
import { accessPages } from './access.ts'
import { contactPages } from './contacts.ts'
import { dataPages } from './data.ts'
import { deletionPages } from './deletion.ts'
import { devicePages } from './devices.ts'
import { exportPages } from './export.ts'
import { profilePages } from './profile.ts'
import { signInPages } from './signIn.ts'

export interface AccountNeeds {
  readonly sessions: PageSessions
  /** Whoever proved who they are longer ago does it again when a session begins. */
  readonly maxAgeSeconds: number
  readonly pages: Pages
  readonly catalogue: Pick<Catalogue, 'root' | 'find'>
  readonly users: Pick<Users, 'findWithMetadata' | 'removeIdentity'>
  readonly audit: Pick<AuditStore, 'list'>
  readonly profiles: Profiles
  readonly contacts: Contacts
  readonly passwordReset: PasswordReset
  readonly deletions: Deletions
  readonly browsers: Sessions
  readonly accesses: Accesses
  readonly knownByApps: KnownByApps
}

const scope = 'openid profile urn:zitadel:iam:org:project:id:zitadel:aud'

const sections: readonly Section[] = [
  { path: '', label: 'account.sections.profile' },
  { path: '/data', label: 'account.sections.data' },
  { path: '/access', label: 'account.sections.access' },
  { path: '/sessions', label: 'account.sections.sessions' },
  { path: '/sign-in', label: 'account.sections.signIn' },
]

/** The addresses of the account; `api` answers at the same ones, to whoever asks with a token or does not want a page. */
export function accountEndpoints(kit: AreaKit, needs: AccountNeeds, api: readonly Endpoint[]): readonly Endpoint[] {
  const pages = areaEndpoints(kit, {
    area: 'account',
    sessions: needs.sessions,
    scope,
    maxAgeSeconds: needs.maxAgeSeconds,
    sections,
    pages: [
      ...profilePages(needs),
      ...contactPages(needs),
      ...dataPages(needs),
      ...accessPages(needs),
      ...devicePages(needs),
      ...signInPages(needs),
      ...exportPages(needs),
      ...deletionPages(needs),
    ],
  })
  const isSame = (one: Endpoint, other: Endpoint) => one.method === other.method && one.path === other.path
  const shared = pages.map((page): Endpoint => {
    const other = api.find((each) => isSame(each, page))
    if (!other) return page
    return {
      ...page,
      handle(ctx) {
        ctx.vary('Accept, Authorization')
        const wantsPage = !ctx.get('Authorization') && ctx.accepts('json', 'html') === 'html'
        return wantsPage ? page.handle(ctx) : other.handle(ctx)
      },
    }
  })
  return [...shared, ...api.filter((each) => !pages.some((page) => isSame(page, each)))]
}
