import { expect, test } from 'vitest'
import type { PersonalAccessToken } from '#src/domain/users/store.ts'
import { type UserId, UserNotFound } from '#src/domain/users/user.ts'
import { at, atOnce, event, later, type Open, user } from './contract.ts'

const unknown = '000000000000000000000000' as UserId

const token = (id: string, userId: UserId, more: Partial<PersonalAccessToken> = {}): PersonalAccessToken => ({
  id,
  userId,
  name: `token ${id}`,
  hash: `hash-${id}`,
  createdAt: at,
  ...more,
})

export function tokensContract(open: Open): void {
  test('a token is found by its hash and listed with its user, oldest first', async () => {
    await using stores = await open()
    const [jane, john] = [user('jane'), user('john')]
    await stores.users.insert(jane, [], [])
    await stores.users.insert(john, [], [])
    const tokens = [token('z', jane.id, { createdAt: later(-1), expiresAt: later(60) }), token('a', jane.id), token('b', jane.id)]
    for (const each of [...tokens].reverse()) await stores.tokens.insert(each, [event(jane.id)])
    await stores.tokens.insert(token('c', john.id), [])
    expect(await stores.tokens.list(jane.id)).toStrictEqual(tokens)
    expect(await stores.tokens.findByHash('hash-z')).toStrictEqual(tokens[0])
    expect(await stores.tokens.findByHash('hash-Z')).toBeUndefined()
    expect(await stores.tokens.list(unknown)).toEqual([])
    expect(await stores.audit.list({ kind: 'user', id: jane.id }, { limit: 10 })).toHaveLength(3)
    expect(await stores.users.find(jane.id)).toEqual(jane)
  })

  test('a token that is taken away is gone, once, and only by its own user', async () => {
    await using stores = await open()
    const [jane, john] = [user('jane'), user('john')]
    await stores.users.insert(jane, [], [])
    await stores.users.insert(john, [], [])
    await stores.tokens.insert(token('a', jane.id), [])
    expect(await stores.tokens.remove(john.id, 'a', [event(john.id)])).toBe(false)
    expect(await stores.tokens.remove(jane.id, 'b', [event(jane.id)])).toBe(false)
    const outcomes = await atOnce(10, () => stores.tokens.remove(jane.id, 'a', [event(jane.id)]))
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value)).toHaveLength(1)
    expect(await stores.tokens.findByHash('hash-a')).toBeUndefined()
    expect(await stores.audit.list({ kind: 'user', id: jane.id }, { limit: 10 })).toHaveLength(1)
    expect(await stores.audit.list({ kind: 'user', id: john.id }, { limit: 10 })).toEqual([])
  })

  test('a token of nobody is refused, and one that fails leaves nothing behind', async () => {
    await using stores = await open()
    await expect(stores.tokens.insert(token('a', unknown), [event(unknown)])).rejects.toThrow(UserNotFound)
    const jane = user('jane')
    await stores.users.insert(jane, [], [])
    const twice = event(jane.id)
    await expect(stores.tokens.insert(token('a', jane.id), [twice, twice])).rejects.toThrow()
    await stores.tokens.insert(token('b', jane.id), [twice])
    await expect(stores.tokens.remove(jane.id, 'b', [twice])).rejects.toThrow()
    expect(await stores.tokens.findByHash('hash-a')).toBeUndefined()
    expect(await stores.tokens.list(jane.id)).toHaveLength(1)
    expect(await stores.audit.list({ kind: 'user', id: unknown }, { limit: 10 })).toEqual([])
  })

  test('no token outlives a user who is removed at the same moment', async () => {
    await using stores = await open()
    await using others = await stores.again()
    const users = Array.from({ length: 20 }, (_, number) => user(`user-${number}`))
    for (const each of users) await stores.users.insert(each, [], [])
    await atOnce(40, async (number) => {
      const { id } = users[number >> 1] ?? user('nobody')
      if (number % 2) await stores.users.remove(id, () => [])
      else await others.tokens.insert(token(`${number}`, id), [])
    })
    const left = await Promise.all(users.map(({ id }) => stores.tokens.list(id)))
    expect(left.flat()).toEqual([])
  })
}
