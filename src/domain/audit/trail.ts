/**
 * The audit trail as a whole, for people who look through it: by any combination of filters, the newest first, a page at a time or all of it.
 *
 * A page comes by keyset along the index of the filter that finds the fewest, and looks at a fixed number of events whatever is asked for.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { boundedPage } from '#src/base/boundedPage.ts'
import { CursorInvalid, type Page, type PageRequest } from '#src/base/page.ts'
import type { Sealer } from '../keys/seal.ts'
import type { AuditEvent, AuditStore, EventType, Subject, TrailCondition, TrailPeriod, TrailPlace } from './events.ts'

/** Everything that is given must hold. */
export interface TrailFilter extends TrailPeriod {
  readonly types?: readonly EventType[] | undefined
  /** A user, or everybody of a kind. */
  readonly actor?: { readonly kind: 'user'; readonly id: string } | { readonly kind: 'cli' | 'system' } | undefined
  readonly subject?: Subject | undefined
}

/** So many events does a page look at. */
export const examinedEvents = 2000

/** Counting ends here: what finds more is not worth the counting. */
const counted = 5000

/** Events a turn, where all of them are gone through. */
const streamed = 500

interface TrailDeps {
  readonly store: Pick<AuditStore, 'countPlaces' | 'places' | 'findAll'>
  readonly sealer: Pick<Sealer, 'seal' | 'open'>
}

export function createTrail({ store, sealer }: TrailDeps) {
  async function mostSelective(conditions: readonly TrailCondition[], period: TrailPeriod): Promise<number> {
    if (conditions.length < 2) return 0
    const counts = await Promise.all(conditions.map((condition) => store.countPlaces(condition, period, counted)))
    return counts.indexOf(Math.min(...counts))
  }

  const pageOf = (
    conditions: readonly TrailCondition[],
    chosen: number,
    period: TrailPeriod,
    after: TrailPlace | undefined,
    limit: number,
  ) =>
    boundedPage<TrailPlace, AuditEvent>({
      after,
      limit,
      most: examinedEvents,
      places: (page) => store.places(conditions[chosen], period, page),
      async pick(places) {
        const found = new Map((await store.findAll(places, conditions)).map(({ place, event }) => [place.id, event]))
        return places.flatMap((place) => {
          const item = found.get(place.id)
          return item ? [{ place, item }] : []
        })
      },
    })

  // Sealed, so that it is known for ours, and for the filter that it was made with.
  const cursorOf = (filter: TrailFilter, chosen: number, { at, id }: TrailPlace) =>
    sealer.seal(JSON.stringify([chosen, at, id]), contextOf(filter))

  function opened(cursor: string, filter: TrailFilter): { readonly chosen: number; readonly after: TrailPlace } {
    try {
      const [chosen, at, id] = JSON.parse(sealer.open(cursor, contextOf(filter)))
      return { chosen, after: { at, id } }
    } catch (cause) {
      throw new CursorInvalid({ cause })
    }
  }

  return {
    /**
     * A page of the events that `filter` finds, the newest first; `after` is the `next` of the page before. Fewer than `limit` with a `next` mean that
     * there is more to look through.
     * @throws CursorInvalid when `after` is none of ours, or one of another filter
     */
    async page(filter: TrailFilter, { after, limit }: PageRequest): Promise<Page<AuditEvent>> {
      const begun = after === undefined ? undefined : opened(after, filter)
      const conditions = conditionsOf(filter)
      const chosen = begun?.chosen ?? (await mostSelective(conditions, filter))
      const { items, next } = await pageOf(conditions, chosen, filter, begun?.after, limit)
      return next ? { items, next: cursorOf(filter, chosen, next) } : { items }
    },

    /**
     * Everything that `filter` finds, the newest first, without what is recorded meanwhile. A page of it is in memory at a time, whoever takes
     * it may take their time, and others get their turn after each page.
     */
    async *all(filter: TrailFilter): AsyncGenerator<AuditEvent> {
      const conditions = conditionsOf(filter)
      const chosen = await mostSelective(conditions, filter)
      let after: TrailPlace | undefined
      do {
        const page = await pageOf(conditions, chosen, filter, after, streamed)
        yield* page.items
        after = page.next
        await nextTurn()
      } while (after)
    },
  }
}

/** What a cursor is made for. */
const contextOf = ({ types, actor, subject, from, to }: TrailFilter) =>
  JSON.stringify(['trail', types ?? null, actor ?? null, subject ?? null, from ?? null, to ?? null])

function conditionsOf({ types, actor, subject }: TrailFilter): readonly TrailCondition[] {
  const conditions: TrailCondition[] = []
  if (subject) conditions.push({ kind: 'subject', subject })
  if (actor) conditions.push({ kind: 'actor', actor })
  if (types) conditions.push({ kind: 'types', types: [...new Set(types)] })
  return conditions
}
