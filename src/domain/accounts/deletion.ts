import { everyItem, type Page, type PageRequest } from '#src/base/page.ts'
import { payloadOf } from '#src/base/payload.ts'
import { inRounds } from '#src/base/rounds.ts'
import type { Lease } from '../sessions/lease.ts'
import type { ArtifactStore } from '../sessions/store.ts'
import type { User, UserId, UserState } from '../users/user.ts'
import type { Users } from '../users/users.ts'
import { type AccountAddresses, AdministratorsStay, ProofExpired, provenEmailOf, type ReadSettings } from './accounts.ts'
import type { Afterwards } from './afterwards.ts'
import type { Links } from './links.ts'
import type { SendAccountMail } from './mail.ts'

export interface DeletionsDeps {
  readonly settings: ReadSettings
  readonly users: Pick<Users, 'find' | 'leave' | 'stay' | 'remove'>
  /** Those who are in a state. */
  readonly browse: (filter: { readonly state: UserState }, page: PageRequest) => Promise<Page<User>>
  readonly artifacts: Pick<ArtifactStore, 'put' | 'list' | 'remove'>
  readonly links: Links
  readonly afterwards: Afterwards
  readonly sendMail: SendAccountMail
  readonly addresses: Pick<AccountAddresses, 'account'>
  readonly isAdministrator: (user: User) => boolean
  readonly isLeaving: (user: User) => boolean
  readonly now: () => Date
}

/** Who goes when. The time stands first in the id, so that those who are due come first. */
interface Departure {
  readonly id: string
  readonly userId: string
  readonly at: string
}

const model = 'AccountDeletion'
const pageOfDepartures = 100
/** Whoever has proved who they are has so long to decide. */
const staySeconds = 900

export type Deletions = ReturnType<typeof createDeletions>

/**
 * People who delete their account. They are shut out at once, may come back until the time of grace is over, and are removed then. What tells who is due is written before the user,
 * so that nobody is forgotten; it is the user who says whether it still holds.
 */
export function createDeletions(deps: DeletionsDeps) {
  const { settings, users, browse, artifacts, links, afterwards, sendMail, addresses, isAdministrator, isLeaving, now } = deps

  /** Still wants to go, at that time. */
  const goes = (user: User | undefined, { at }: Departure): user is User =>
    user !== undefined && user.deletionAt === at && user.state !== 'active'

  async function note(userId: UserId, at: string): Promise<void> {
    const departure: Departure = { id: `${at}:${userId}`, userId, at }
    await artifacts.put({ model, id: departure.id, payload: { ...departure } })
  }

  async function removeOne(departure: Departure): Promise<void> {
    const user = await users.find(departure.userId as UserId)
    if (goes(user, departure)) {
      const assertStill = (current: User) => {
        if (!goes(current, departure)) throw new Stays()
      }
      const isGone = await users.remove(user.id, { kind: 'system' }, assertStill).then(
        () => true,
        // Another one removed them, or they came back at the last moment.
        (error: unknown) => {
          if (error instanceof Stays || (error as { code?: unknown }).code === 'user.not_found') return false
          throw error
        },
      )
      const to = provenEmailOf(user)
      if (isGone && to !== undefined) afterwards.do(() => sendMail({ kind: 'deleted', to, locale: user.profile.locale }))
    }
    await artifacts.remove(model, departure.id)
  }

  return {
    /** Shuts somebody out, and removes them after the time of grace. @throws AdministratorsStay, UserNotFound, Busy */
    async request(userId: UserId): Promise<User> {
      const { accountDeletionGraceSeconds } = await settings()
      const at = new Date(now().getTime() + accountDeletionGraceSeconds * 1000)
      await note(userId, at.toISOString())
      const user = await users.leave(userId, at, { kind: 'user', id: userId }, (current) => {
        if (isAdministrator(current)) throw new AdministratorsStay()
      })
      const to = provenEmailOf(user)
      if (to !== undefined)
        afterwards.do(() =>
          sendMail({ kind: 'deletionRequested', to, locale: user.profile.locale, link: addresses.account, deletionAt: at }),
        )
      return user
    },

    /** For whoever has just proved to be somebody who wants to go: what they can keep the account with, for a quarter of an hour, once. */
    offerToStay: ({ id }: User): Promise<string> =>
      links.issue('stay', { userId: id }, { lifetimeSeconds: staySeconds, userId: id, isOnly: true }),

    /** Keeps the account. @throws ProofExpired when it is too late, or the offer is */
    async stay(offer: string): Promise<User> {
      const found = await links.find('stay', offer)
      const user = found && (await users.find(found.userId as UserId))
      if (!user || !isLeaving(user) || !(await links.use('stay', offer))) throw new ProofExpired()
      const stayed = await users.stay(user.id, { kind: 'user', id: user.id })
      if (stayed.state !== 'active') throw new ProofExpired()
      return stayed
    },

    /** Notes everybody who is to go once more: what tells who is due is kept where what expires is, and may be lost with it. */
    async noteAll(): Promise<void> {
      for (const state of ['inactive', 'locked'] as const) {
        for await (const { id, deletionAt } of everyItem((page) => browse({ state }, page)))
          if (deletionAt !== undefined) await note(id, deletionAt)
      }
    },

    /** Removes everybody whose time is over. */
    async removeDue(): Promise<void> {
      for (;;) {
        const page = (await artifacts.list(model, { limit: pageOfDepartures })).map(payloadOf<Departure>)
        const due = page.filter(({ at }) => at <= now().toISOString())
        for (const departure of due) await removeOne(departure)
        if (due.length < pageOfDepartures) return
      }
    },
  }
}

class Stays extends Error {}

const lookEveryMs = 20_000
const noteEveryMs = 86_400_000

/** Removes those whose time is over, on one server at a time; `stop` it when the server goes. */
export function sweepDeletions({
  deletions,
  lease,
  onFault,
}: {
  readonly deletions: Pick<Deletions, 'removeDue' | 'noteAll'>
  readonly lease: Lease
  readonly onFault: (error: unknown) => void
}): { stop(): Promise<void> } {
  let notedAt = Number.NEGATIVE_INFINITY
  const work = async () => {
    if (!(await lease.hold())) return
    if (performance.now() - notedAt > noteEveryMs) {
      await deletions.noteAll()
      notedAt = performance.now()
    }
    await deletions.removeDue()
  }
  const rounds = inRounds({ everyMs: lookEveryMs, work, onFault })
  return {
    async stop() {
      await rounds.stop()
      await lease.release()
    },
  }
}
