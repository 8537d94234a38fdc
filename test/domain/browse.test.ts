import { expect, test } from 'vitest'
import { createSealer } from '#src/domain/keys/seal.ts'
import { type BrowseFilter, createUserBrowsing, examinedUsers } from '#src/domain/users/browse.ts'
import type { UserStore } from '#src/domain/users/store.ts'
import { openSqlite } from '#src/storage/sqlite/open.ts'
import { bytes, entry, later, upTo, user } from '../contract/contract.ts'
import { tempDir } from '../support/temp.ts'

const sealer = createSealer(['the secret of these tests, which is long enough'])

/** 6,000 users: of no two conditions that half of them meet does anybody meet both. */
async function crowd() {
  const stores = await openSqlite(tempDir())
  await Promise.all(
    upTo(6000).map((number) => {
      const [even, odd] = [number % 2 === 0, number % 2 === 1]
      return stores.users.insert(
        user(`someone-${number}`, {
          createdAt: later(number),
          profile: { givenName: even ? 'Anna' : 'Bert' },
          state: even ? 'active' : 'locked',
          roles: odd ? { portal: [] } : {},
        }),
        even ? [entry('plan', bytes(number === 2 ? 'rare' : 'gold'))] : [],
        [],
      )
    }),
  )
  let looked = 0
  const counting: UserStore = {
    ...stores.users,
    async places(clue, page) {
      const places = await stores.users.places(clue, page)
      looked += places.length
      return places
    },
  }
  const browsing = createUserBrowsing({ store: counting, sealer })
  return {
    /** The page, and how many places were looked at for it. */
    async browse(filter: BrowseFilter, after?: string) {
      looked = 0
      const page = await browsing.browse(filter, { after, limit: 20 })
      return { ...page, looked }
    },
    [Symbol.asyncDispose]: () => stores.close(),
  }
}

test('a page looks at a fixed number of users at the most, and says where to go on looking', async () => {
  await using users = await crowd()
  const nobody: readonly BrowseFilter[] = [
    { text: 'anna', state: 'locked' },
    { text: 'anna bert' },
    { text: 'bert', metadata: { key: 'plan' } },
    { text: 'someone anna', granted: 'portal', state: 'active' },
    { metadata: { key: 'plan', value: bytes('gold') }, granted: 'portal' },
    { state: 'locked', metadata: { key: 'plan' } },
  ]
  for (const filter of nobody) {
    let after: string | undefined
    let pages = 0
    do {
      const page = await users.browse(filter, after)
      expect(page.items).toEqual([])
      expect(page.looked).toBeLessThanOrEqual(examinedUsers)
      after = page.next
      pages += 1
    } while (after !== undefined)
    expect(pages).toBe(Math.ceil(3000 / examinedUsers))
  }
})

test('the filter that finds the fewest leads, whatever it is beside', async () => {
  await using users = await crowd()
  const cases: readonly BrowseFilter[] = [
    { text: 'someone', metadata: { key: 'plan', value: bytes('rare') } },
    { text: 'anna someone-2', state: 'active', metadata: { key: 'plan', value: bytes('rare') } },
    { text: 'someone-5999', state: 'locked', granted: 'portal' },
  ]
  for (const filter of cases) {
    const { items, looked, next } = await users.browse(filter)
    expect([items.length, next]).toEqual([1, undefined])
    expect(looked).toBe(1)
  }
  const { items, looked } = await users.browse({})
  expect([items.length, looked]).toEqual([20, 21])
})
