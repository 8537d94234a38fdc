import { expect, test } from 'vitest'
import type { Identity } from '#src/domain/users/identity.ts'
import { IdentityTaken, type UserId } from '#src/domain/users/user.ts'
import { atOnce, type Open, oddKeys, user } from './contract.ts'

const identity = (key: string, more: Partial<Identity> = {}): Identity => ({
  app: 'app',
  provider: 'local-userpass',
  key,
  id: key,
  data: { email: key },
  createdAt: '2026-03-01T10:00:00.123Z',
  usedAt: '2026-03-01T10:00:00.123Z',
  ...more,
})

export function identitiesContract(open: Open): void {
  test('a user is found by each identity, which comes back as written', async () => {
    await using stores = await open()
    const odd = Object.fromEntries(oddKeys.map((key) => [key, { [key]: [key, null, 1.5] }]))
    const identities = [identity('jane@acme.example', { data: odd }), identity('24601', { provider: 'custom-token' })]
    const jane = user('jane', { identities })
    await stores.users.insert(jane, [], [])
    for (const each of identities) {
      const found = await stores.users.findByIdentity(each)
      expect(found?.id).toBe(jane.id)
      // As text: what is called `__proto__` is compared by no matcher.
      expect(JSON.stringify(found?.identities)).toBe(JSON.stringify(identities))
    }
    expect(await stores.users.findByIdentity(identity('Jane@acme.example'))).toBeUndefined()
    expect(await stores.users.findByIdentity(identity('24601'))).toBeUndefined()
    expect(await stores.users.findByIdentity(identity('jane@acme.example', { app: 'other' }))).toBeUndefined()
  })

  test('an identity is taken once; it is free again when its user parts with it or goes', async () => {
    await using stores = await open()
    const jane = user('jane', { identities: [identity('a')] })
    const john = user('john')
    await stores.users.insert(jane, [], [])
    await stores.users.insert(john, [], [])
    await expect(stores.users.insert(user('jim', { identities: [identity('b'), identity('a')] }), [], [])).rejects.toThrow(IdentityTaken)
    expect(await stores.users.findByUsername('jim')).toBeUndefined()
    const take = (id: UserId, identities: readonly Identity[]) =>
      stores.users.update(id, (current) => ({ user: { ...current, identities }, events: [] }))
    await expect(take(john.id, [identity('c'), identity('a')])).rejects.toThrow(IdentityTaken)
    expect(await stores.users.findByIdentity(identity('c'))).toBeUndefined()
    await take(jane.id, [identity('c')])
    await take(john.id, [identity('a')])
    expect((await stores.users.findByIdentity(identity('a')))?.id).toBe(john.id)
    await stores.users.remove(john.id, () => [])
    expect(await stores.users.findByIdentity(identity('a'))).toBeUndefined()
    await take(jane.id, [identity('c'), identity('a')])
    expect((await stores.users.findByIdentity(identity('a')))?.id).toBe(jane.id)
  })

  test('of many who come with one identity at once, one gets it', async () => {
    await using stores = await open()
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => stores.users.insert(user(`u${index}`, { identities: [identity('a')] }), [], [])),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const rest = results.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
    for (const reason of rest) expect(reason).toBeInstanceOf(IdentityTaken)
  })

  test('the users of an app are listed once each, by id, in both directions', async () => {
    await using stores = await open()
    const people = Array.from({ length: 5 }, (_, index) =>
      user(`u${index}`, { identities: [identity(`a${index}`), identity(`b${index}`), identity(`c${index}`, { app: 'other' })] }),
    )
    await atOnce(people.length, (index) => stores.users.insert(people[index] as (typeof people)[0], [], []))
    await stores.users.insert(user('alone', { identities: [identity('x', { app: 'other' })] }), [], [])
    const ids = people.map(({ id }) => id).toSorted()
    const first = await stores.users.listByApp('app', { limit: 3 })
    expect(first.items.map(({ id }) => id)).toEqual(ids.slice(0, 3))
    expect(first.next).toBe(ids[2])
    const second = await stores.users.listByApp('app', { limit: 3, after: first.next })
    expect(second.items.map(({ id }) => id)).toEqual(ids.slice(3))
    expect(second.next).toBeUndefined()
    const last = await stores.users.listByApp('app', { limit: 2, descending: true })
    expect(last.items.map(({ id }) => id)).toEqual(ids.slice(-2).reverse())
    const before = await stores.users.listByApp('app', { limit: 9, descending: true, after: last.next })
    expect(before.items.map(({ id }) => id)).toEqual(ids.slice(0, 3).reverse())
    expect((await stores.users.listByApp('none', { limit: 3 })).items).toEqual([])
  })
}
