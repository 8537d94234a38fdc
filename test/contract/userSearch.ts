import { expect, test } from 'vitest'
import type { TextMethod } from '#src/base/text.ts'
import { everybody, type UserFilter, type UserSearch } from '#src/domain/users/search.ts'
import { bytes, entry, later, type Open, oddKeys, user } from './contract.ts'

const search = (filter: UserFilter, more: Partial<UserSearch> = {}): UserSearch => ({
  filter,
  sort: 'createdAt',
  ascending: true,
  offset: 0,
  limit: 100,
  ...more,
})
const text = (field: 'username' | 'email' | 'givenName' | 'displayName', method: TextMethod, value: string): UserFilter => ({
  kind: 'text',
  field,
  method,
  text: value,
})
const key = (name: string, method: TextMethod = 'equals') => ({ text: name, method })

/** Six users, each a second younger than the one before. */
async function people(open: Open) {
  const stores = await open()
  const put = (name: string, seconds: number, more: Parameters<typeof user>[1], metadata: Readonly<Record<string, string>> = {}) =>
    stores.users.insert(
      user(name, { createdAt: later(seconds), ...more }),
      Object.entries(metadata).map(([each, value], index) => entry(each, bytes(value), index + 1)),
      [],
    )
  await put(
    'Anna',
    1,
    { profile: { givenName: 'Anna', displayName: 'A (first)', email: 'Anna@Acme.Example' } },
    { plan: 'gold', Plan: 'x' },
  )
  await put('bert.100%', 2, { profile: { givenName: 'Bert\n', email: 'bert@acme.example', emailVerified: true } }, { plan: 'silver' })
  await put('Cäsar', 3, { profile: { givenName: 'anna' }, state: 'inactive', roles: { portal: ['reader'] } }, { 'plan.b': 'gold' })
  await put('dora', 4, { profile: {}, kind: 'machine', roles: { portal: [], other: ['x'] } }, { plan: 'gold' })
  await put('Änne_', 5, { profile: { givenName: 'Änne', email: 'x@other.example' }, state: 'locked' }, { note: 'g'.repeat(300) })
  await put('emil', 6, { profile: { givenName: '' } }, { note: 'g'.repeat(201) })
  return Object.assign(stores, {
    async names(filter: UserFilter, more: Partial<UserSearch> = {}) {
      return (await stores.users.search(search(filter, more))).users.map(({ username }) => username)
    },
  })
}

const all = ['Anna', 'bert.100%', 'Cäsar', 'dora', 'Änne_', 'emil']

export function userSearchContract(open: Open): void {
  test('users are found by the parts of their names', async () => {
    await using stores = await people(open)
    const cases: readonly (readonly [UserFilter, readonly string[]])[] = [
      [text('username', 'equals', 'Anna'), ['Anna']],
      [text('username', 'equals', 'anna'), []],
      [text('username', 'equalsIgnoreCase', 'ANNA'), ['Anna']],
      [text('username', 'equalsIgnoreCase', 'ÄNNE_'), ['Änne_']],
      [text('username', 'startsWith', 'A'), ['Anna']],
      [text('username', 'startsWithIgnoreCase', 'c'), ['Cäsar']],
      [text('username', 'startsWith', ''), all],
      [text('username', 'contains', '%'), ['bert.100%']],
      [text('username', 'contains', '_'), ['Änne_']],
      [text('username', 'contains', '.1'), ['bert.100%']],
      [text('username', 'containsIgnoreCase', 'NN'), ['Anna', 'Änne_']],
      [text('username', 'endsWith', 'r'), ['Cäsar']],
      [text('username', 'endsWithIgnoreCase', 'L'), ['emil']],
      [text('givenName', 'equals', 'Anna'), ['Anna']],
      [text('givenName', 'equalsIgnoreCase', 'ANNA'), ['Anna', 'Cäsar']],
      [text('givenName', 'equals', 'Bert'), []],
      [text('givenName', 'equals', 'Bert\n'), ['bert.100%']],
      [text('givenName', 'contains', ''), ['Anna', 'bert.100%', 'Cäsar', 'Änne_', 'emil']],
      [text('displayName', 'contains', '('), ['Anna']],
      [text('displayName', 'contains', '.*'), []],
      [text('displayName', 'contains', '\0'), []],
      [text('email', 'equals', 'Anna@Acme.Example'), ['Anna']],
      [text('email', 'equals', 'anna@acme.example'), []],
      [text('email', 'endsWithIgnoreCase', '@ACME.example'), ['Anna', 'bert.100%']],
      [{ kind: 'emails', emails: ['ANNA@acme.example', 'x@other.example'] }, ['Anna', 'Änne_']],
    ]
    for (const [filter, expected] of cases) expect(await stores.names(filter), JSON.stringify(filter)).toEqual(expected)
  })

  test('and by state, kind, id, grant, and any combination', async () => {
    await using stores = await people(open)
    const [anna, , casar] = (await stores.users.search(search(everybody))).users
    const inactive: UserFilter = { kind: 'state', state: 'inactive' }
    const machine: UserFilter = { kind: 'type', type: 'machine' }
    const cases: readonly (readonly [UserFilter, readonly string[]])[] = [
      [everybody, all],
      [inactive, ['Cäsar']],
      [machine, ['dora']],
      [{ kind: 'ids', ids: [anna?.id ?? '', casar?.id ?? '', 'nobody', "'"] }, ['Anna', 'Cäsar']],
      [{ kind: 'ids', ids: [] }, []],
      [{ kind: 'granted', projectId: 'portal' }, ['Cäsar', 'dora']],
      [{ kind: 'granted', projectId: 'other' }, ['dora']],
      [{ kind: 'or', filters: [inactive, machine] }, ['Cäsar', 'dora']],
      [{ kind: 'and', filters: [inactive, machine] }, []],
      [{ kind: 'or', filters: [] }, []],
      [{ kind: 'not', filter: { kind: 'or', filters: [inactive, machine] } }, ['Anna', 'bert.100%', 'Änne_', 'emil']],
      [{ kind: 'not', filter: text('email', 'containsIgnoreCase', 'acme') }, ['Cäsar', 'dora', 'Änne_', 'emil']],
      [{ kind: 'not', filter: text('givenName', 'startsWith', 'A') }, ['bert.100%', 'Cäsar', 'dora', 'Änne_', 'emil']],
      [{ kind: 'not', filter: { kind: 'granted', projectId: 'portal' } }, ['Anna', 'bert.100%', 'Änne_', 'emil']],
      [
        {
          kind: 'and',
          filters: [
            { kind: 'metadata', key: key('plan') },
            { kind: 'not', filter: machine },
          ],
        },
        ['Anna', 'bert.100%'],
      ],
    ]
    for (const [filter, expected] of cases) expect(await stores.names(filter), JSON.stringify(filter)).toEqual(expected)
  })

  test('and by what an entry of their metadata is', async () => {
    await using stores = await people(open)
    const gold = { bytes: bytes('gold'), equal: true }
    const cases: readonly (readonly [UserFilter, readonly string[]])[] = [
      [{ kind: 'metadata', key: key('plan') }, ['Anna', 'bert.100%', 'dora']],
      [{ kind: 'metadata', key: key('PLAN', 'equalsIgnoreCase') }, ['Anna', 'bert.100%', 'dora']],
      [{ kind: 'metadata', key: key('PLAN', 'startsWithIgnoreCase') }, ['Anna', 'bert.100%', 'Cäsar', 'dora']],
      [{ kind: 'metadata', key: key('plan.', 'startsWith') }, ['Cäsar']],
      [{ kind: 'metadata', key: key('.b', 'endsWith') }, ['Cäsar']],
      [{ kind: 'metadata', key: key('n.', 'contains') }, ['Cäsar']],
      [{ kind: 'metadata', key: key('gold', 'contains') }, []],
      [{ kind: 'metadata', value: gold }, ['Anna', 'Cäsar', 'dora']],
      [{ kind: 'metadata', key: key('plan'), value: gold }, ['Anna', 'dora']],
      [{ kind: 'metadata', key: key('plan'), value: { ...gold, equal: false } }, ['bert.100%']],
      [{ kind: 'metadata', key: key('Plan'), value: gold }, []],
      [{ kind: 'metadata', key: key('plan', 'startsWith'), value: gold }, ['Anna', 'Cäsar', 'dora']],
      [{ kind: 'metadata', value: { bytes: bytes('gol'), equal: true } }, []],
      [{ kind: 'metadata', value: { bytes: bytes('g'.repeat(200)), equal: true } }, []],
      [{ kind: 'metadata', key: key('note'), value: { bytes: bytes('g'.repeat(200)), equal: false } }, ['Änne_', 'emil']],
    ]
    for (const [filter, expected] of cases) expect(await stores.names(filter), JSON.stringify(filter)).toEqual(expected)
  })

  test('whatever a key is, its user is found by it, and no longer when it is gone', async () => {
    await using stores = await open()
    const jane = user('jane')
    const value = new Uint8Array([0, 1, 2, 255])
    await stores.users.insert(
      jane,
      oddKeys.slice(1).map((each, index) => entry(each, value, index + 1)),
      [],
    )
    await stores.metadata.change(jane.id, [oddKeys[0]], () => ({
      put: [entry(oddKeys[0], value)],
      remove: [],
      events: [],
      sequence: 1,
      at: later(1),
    }))
    const find = async (each: string, equal = true) =>
      (await stores.users.search(search({ kind: 'metadata', key: key(each), value: { bytes: value, equal } }))).total
    for (const each of oddKeys) expect([each, await find(each), await find(each, false)]).toEqual([each, 1, 0])
    await stores.metadata.change(jane.id, [...oddKeys], () => ({
      put: [entry(oddKeys[1], bytes('another'))],
      remove: oddKeys.slice(2),
      events: [],
      sequence: 2,
      at: later(2),
    }))
    expect(await Promise.all(oddKeys.slice(0, 4).map((each) => find(each)))).toEqual([1, 0, 0, 0])
    expect(await find(oddKeys[1], false)).toBe(1)
  })

  test('a change of the user changes by what they are found', async () => {
    await using stores = await people(open)
    const [anna] = (await stores.users.search(search(text('username', 'equals', 'Anna')))).users
    if (!anna) return expect.unreachable()
    const changed = { ...anna, username: 'Zoe', profile: { givenName: 'Zoe' }, state: 'locked', roles: { other: [] } } as const
    await stores.users.update(anna.id, () => ({ user: changed, events: [] }))
    expect(await stores.names(text('username', 'equals', 'Anna'))).toEqual([])
    expect(await stores.names({ kind: 'emails', emails: ['anna@acme.example'] })).toEqual([])
    expect(await stores.names({ kind: 'granted', projectId: 'other' })).toEqual(['Zoe', 'dora'])
    expect(await stores.names({ kind: 'state', state: 'locked' })).toEqual(['Zoe', 'Änne_'])
    await stores.users.remove(anna.id, () => [])
    expect(await stores.names({ kind: 'metadata', key: key('Plan') })).toEqual([])
  })

  test('a search answers a part in the order that it asks for, and how many there are', async () => {
    await using stores = await people(open)
    expect(await stores.names(everybody, { ascending: false, limit: 2 })).toEqual(['emil', 'Änne_'])
    expect(await stores.names(everybody, { sort: 'username', limit: 3 })).toEqual(['Anna', 'bert.100%', 'Cäsar'])
    expect(await stores.names(text('givenName', 'contains', 'n'), { sort: 'state' })).toEqual(['Anna', 'Cäsar', 'Änne_'])
    const found = await stores.users.search(search(everybody, { offset: 4, limit: 1 }))
    expect([found.users.map(({ username }) => username), found.total]).toEqual([['Änne_'], 6])
    expect(await stores.users.search(search(everybody, { offset: 10 }))).toEqual({ users: [], total: 6 })
    expect((await stores.users.search(search({ kind: 'state', state: 'locked' }))).total).toBe(1)
  })
}
