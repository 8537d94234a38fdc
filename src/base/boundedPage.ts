/** What is found along an index, and how to find it: the places of the index in their order, and what of them passes. */
interface Walk<Place, Item> {
  /** Where to begin: behind this one. */
  readonly after?: Place | undefined
  /** How many are wanted. */
  readonly limit: number
  /** How many places may be looked at. */
  readonly most: number
  /** The next places of the index; fewer than `limit` when it ends. */
  readonly places: (page: { readonly after?: Place | undefined; readonly limit: number }) => Promise<readonly Place[]>
  /** What passes of those at `places`, in their order. */
  readonly pick: (places: readonly Place[]) => Promise<readonly { readonly place: Place; readonly item: Item }[]>
}

/**
 * A page of what passes along an index, by keyset. It costs no more than `most` places, whatever is looked for: a page that comes out
 * short (perhaps empty) and has `next` stopped there, and going on from `next` goes on looking. Without `next` there is no more.
 */
export async function boundedPage<Place, Item>({
  after,
  limit,
  most,
  places,
  pick,
}: Walk<Place, Item>): Promise<{ readonly items: readonly Item[]; readonly next?: Place }> {
  const found: { readonly place: Place; readonly item: Item }[] = []
  let last = after
  // One more than asked for tells whether there is more. Where few pass, the steps grow.
  for (let examined = 0, size = limit + 1; examined < most; size *= 2) {
    const step = Math.min(size, most - examined)
    const seen = await places({ after: last, limit: step })
    found.push(...(await pick(seen)))
    const items = found.slice(0, limit).map(({ item }) => item)
    if (found.length > limit) return { items, next: (found[limit - 1] as { place: Place }).place }
    if (seen.length < step) return { items }
    examined += seen.length
    last = seen.at(-1)
  }
  return { items: found.map(({ item }) => item), next: last as Place }
}
