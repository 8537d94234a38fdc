/**
 * Lists of users for people who look through them: by any combination of filters, a page at a time, at any number of users.
 *
 * A page comes by keyset along the index of one filter, the one that finds the fewest; the others are judged at each user. It looks at a
 * fixed number of places whatever is asked for, so it may come out short, or empty, and say where to go on looking.
 */
import { boundedPage } from '#src/base/boundedPage.ts'
import { isObjectId } from '#src/base/ids.ts'
import { CursorInvalid, type Page, type PageRequest } from '#src/base/page.ts'
import type { Sealer } from '../keys/seal.ts'
import type { UserStore } from './store.ts'
import type { User, UserId, UserState } from './user.ts'
import { beginningsIn, indexedBeginning, indexedWordsOf, isFoundBy } from './words.ts'

/** Everything that is given must hold. */
export interface BrowseFilter {
  /**
   * Words. Each is the beginning of a word of the user name, the e-mail address or a name, or the address as a whole, in any case; or it is the id
   * of a user.
   */
  readonly text?: string | undefined
  readonly state?: UserState | undefined
  readonly kind?: User['kind'] | undefined
  /** Has this key, with just these bytes where they are given. */
  readonly metadata?: { readonly key: string; readonly value?: Uint8Array | undefined } | undefined
  /** Holds something in this project. */
  readonly granted?: string | undefined
}

/** What can be asked of a user's record, and has an index. */
export type UserCondition =
  | { readonly kind: 'everybody' }
  | { readonly kind: 'state'; readonly state: UserState }
  | { readonly kind: 'type'; readonly type: User['kind'] }
  | { readonly kind: 'metadata'; readonly key: string; readonly value?: Uint8Array | undefined }
  | { readonly kind: 'granted'; readonly projectId: string }

/** What users are found by, along an index. */
export type UserClue = UserCondition | { readonly kind: 'word'; readonly beginning: string }

/** Where somebody stands in an index: what it is ordered by, then the id. */
export interface UserPlace {
  readonly by: string | number
  readonly id: UserId
}

/** So many users does a page look at. */
export const examinedUsers = 2000

/** Counting ends here: what finds more is not worth the counting. */
const counted = 5000

/** So many words are looked for in the index; the others are judged only. */
const mostWordClues = 3

export type UserBrowsing = ReturnType<typeof createUserBrowsing>

export function createUserBrowsing({ store, sealer }: { readonly store: UserStore; readonly sealer: Pick<Sealer, 'seal' | 'open'> }) {
  async function mostSelective(clues: readonly UserClue[]): Promise<number> {
    if (clues.length === 1) return 0
    const counts = await Promise.all(clues.map((clue) => store.countPlaces(clue, counted)))
    return counts.indexOf(Math.min(...counts))
  }

  // A cursor has the word or the value at which the last one stands: sealed, so that it tells nobody, and for the filter that it was made with.
  const cursorOf = (filter: BrowseFilter, clue: number, { by, id }: UserPlace) =>
    sealer.seal(JSON.stringify([clue, by, id]), contextOf(filter))

  function opened(cursor: string, filter: BrowseFilter): { readonly clue: number; readonly after: UserPlace } {
    try {
      const [clue, by, id] = JSON.parse(sealer.open(cursor, contextOf(filter)))
      return { clue, after: { by, id } }
    } catch (cause) {
      throw new CursorInvalid({ cause })
    }
  }

  return {
    /**
     * A page of those whom `filter` finds; `after` is the `next` of the page before. Those whom no word, metadata or grant is asked of come
     * newest first, others in the order of the index that finds them. Users who come or go in between move nobody else; fewer than
     * `limit` with a `next` mean that there is more to look through.
     * @throws CursorInvalid when `after` is none of ours, or one of another filter
     */
    async browse(filter: BrowseFilter, { after, limit }: PageRequest): Promise<Page<User>> {
      const begun = after === undefined ? undefined : opened(after, filter)
      const beginnings = beginningsIn(filter.text ?? '')
      const conditions = conditionsOf(filter)
      const clues = cluesOf(beginnings, conditions)
      const chosen = begun?.clue ?? (await mostSelective(clues))
      const clue = clues[chosen]
      if (!clue) throw new CursorInvalid()
      const { items, next } = await boundedPage<UserPlace, User>({
        after: begun?.after,
        limit,
        most: examinedUsers,
        places: (page) => placesOf(store, clue, page),
        async pick(places) {
          const users = await store.findAll([...new Set(places.map(({ id }) => id))], conditions)
          const byId = new Map(users.map((user) => [user.id, user]))
          return places.flatMap((place) => {
            const item = byId.get(place.id)
            return item && standsAt(item, clue, place) && isFoundBy(item, beginnings) ? [{ place, item }] : []
          })
        },
      })
      return next ? { items, next: cursorOf(filter, chosen, next) } : { items }
    },

    /** Those of some ids that there are, in no order. */
    findAll: (ids: readonly UserId[]): Promise<readonly User[]> => store.findAll(ids, []),

    /** How many users there are, in all and by state. It costs three rows of the embedded store, and counts of an index on MongoDB: keep it for a while. */
    async count(): Promise<{ readonly all: number; readonly byState: Readonly<Record<UserState, number>> }> {
      const byState = await store.countByState()
      return { all: byState.active + byState.inactive + byState.locked, byState }
    },
  }
}

/** What a cursor is made for. */
const contextOf = ({ text, state, kind, metadata, granted }: BrowseFilter) =>
  JSON.stringify([
    'users',
    text ?? null,
    state ?? null,
    kind ?? null,
    metadata?.key ?? null,
    metadata?.value ? Buffer.from(metadata.value).toString('base64') : null,
    granted ?? null,
  ])

function conditionsOf({ state, kind, metadata, granted }: BrowseFilter): readonly UserCondition[] {
  const conditions: UserCondition[] = []
  if (metadata) conditions.push({ kind: 'metadata', ...metadata })
  if (granted !== undefined) conditions.push({ kind: 'granted', projectId: granted })
  if (state) conditions.push({ kind: 'state', state })
  if (kind) conditions.push({ kind: 'type', type: kind })
  return conditions
}

function cluesOf(beginnings: readonly string[], conditions: readonly UserCondition[]): readonly UserClue[] {
  const words = beginnings.slice(0, mostWordClues).map((each): UserClue => ({ kind: 'word', beginning: indexedBeginning(each) }))
  return words.length + conditions.length === 0 ? [{ kind: 'everybody' }] : [...words, ...conditions]
}

/** The places of a clue. Whoever is meant by their id stands before all who have it for a word. */
async function placesOf(
  store: UserStore,
  clue: UserClue,
  { after, limit }: { readonly after?: UserPlace | undefined; readonly limit: number },
): Promise<readonly UserPlace[]> {
  if (clue.kind !== 'word' || !isObjectId(clue.beginning) || after) return store.places(clue, { after, limit })
  const named = { by: '', id: clue.beginning as UserId }
  return [named, ...(await store.places(clue, { limit: limit - 1 }))]
}

/** Of several words that begin alike, one is where a user stands: nobody is listed twice. */
function standsAt(user: User, clue: UserClue, { by }: UserPlace): boolean {
  if (clue.kind !== 'word') return true
  const { beginning } = clue
  const own = user.id === beginning ? '' : indexedWordsOf(user).find((word) => word.startsWith(beginning))
  return own === by
}
