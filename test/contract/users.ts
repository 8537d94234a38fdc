import { expect, test } from 'vitest'
import { everyItem } from '#src/base/page.ts'
import { type User, type UserId, UserIdTaken, UserNotFound, UsernameTaken } from '#src/domain/users/user.ts'
import { at, atOnce, bytes, entry, event, later, type Open, oddKeys, plain, upTo, user } from './contract.ts'

const unknown = '000000000000000000000000' as UserId

export function usersContract(open: Open): void {
  test('a user comes back as written, with every field and none more', async () => {
    await using stores = await open()
    const jane = user('Jane.Doe', {
      profile: {
        displayName: 'Jane "JD" Doe\u2028',
        givenName: 'Jane',
        familyName: '',
        locale: 'de-CH',
        picture: 'https://example.com/jane.png?a=1&b=2',
        address: { formatted: 'Main Street 1\n8000 Zürich', postal_code: '08000' },
        email: 'Jane@Acme.Example',
        emailVerified: false,
        phone: '+41 44 000 00 00',
        phoneVerified: true,
      },
      passwordHash: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA',
      passwordImport: 'hash of an imported hash',
      secretHash: 'hash',
      roles: { project: ['reader', 'writer'], empty: [] },
      inactiveGrants: ['project'],
      admin: true,
      provisionedBy: '/etc/dossier/users.yaml',
      sequence: 7,
      changedAt: later(60),
    })
    await stores.users.insert(jane, [], [])
    for (const found of [await stores.users.find(jane.id), await stores.users.findByUsername('Jane.Doe')]) expect(found).toStrictEqual(jane)
    expect((await stores.users.findWithMetadata(jane.id))?.user).toStrictEqual(jane)
    const { passwordImport, provisionedBy, secretHash, inactiveGrants, ...less } = jane
    await stores.users.update(jane.id, () => ({ user: less, events: [] }))
    expect(await stores.users.find(jane.id)).toStrictEqual(less)
    const machine = user('worker', { kind: 'machine', state: 'locked', profile: { displayName: undefined } })
    await stores.users.insert(machine, [], [])
    expect(await stores.users.find(machine.id)).toEqual(machine)
    expect(await stores.users.find(unknown)).toBeUndefined()
  })

  test('roles come back whatever the projects are called', async () => {
    await using stores = await open()
    const roles = Object.fromEntries(oddKeys.map((key) => [key, [key, 'reader']]))
    const jane = user('jane', { roles })
    await stores.users.insert(jane, [], [])
    const found = await stores.users.update(jane.id, (current) => ({ user: { ...current, admin: true }, events: [] }))
    expect(Object.entries(found.roles).sort()).toEqual(Object.entries(roles).sort())
    expect(Object.entries((await stores.users.find(jane.id))?.roles ?? {}).sort()).toEqual(Object.entries(roles).sort())
  })

  test('a user is found by username without regard to case or form', async () => {
    await using stores = await open()
    const jane = user('Jané.Doe')
    await stores.users.insert(jane, [], [])
    for (const name of ['jané.doe', 'JANÉ.DOE', 'Jane\u0301.Doe', 'Jané.Ｄoe'])
      expect(await stores.users.findByUsername(name)).toEqual(jane)
    for (const name of ['jane.doe', 'jané', '', 'jané.doe ', '%']) expect(await stores.users.findByUsername(name)).toBeUndefined()
  })

  test('a username is taken for every other way to write it', async () => {
    await using stores = await open()
    await stores.users.insert(user('Jane'), [], [])
    for (const name of ['Jane', 'jane', 'JANE', 'Ｊane']) {
      const other = user(name)
      await expect(stores.users.insert(other, [entry('k', bytes('v'))], [event(other.id, 1)])).rejects.toThrow(UsernameTaken)
      expect(await stores.users.find(other.id)).toBeUndefined()
      expect(await stores.audit.list({ kind: 'user', id: other.id }, { limit: 10 })).toEqual([])
    }
  })

  test('an id is taken once, and who has it stays as they were', async () => {
    await using stores = await open()
    const jane = user('jane')
    await stores.users.insert(jane, [entry('k', bytes('v'))], [event(jane.id, 1)])
    await expect(stores.users.insert(jane, [], [event(jane.id, 1)])).rejects.toThrow(UserIdTaken)
    await expect(stores.users.insert({ ...jane, username: 'john' }, [], [])).rejects.toThrow(UserIdTaken)
    expect(await stores.users.findByUsername('john')).toBeUndefined()
    const found = await stores.users.findWithMetadata(jane.id)
    expect([found?.user, found?.metadata.length]).toEqual([jane, 1])
    await stores.users.insert(user('john'), [], [])
  })

  test('of fifty who want one username at the same moment, one gets it', async () => {
    await using stores = await open()
    await using others = await stores.again()
    const outcomes = await atOnce(50, (number) => (number % 2 ? stores : others).users.insert(user(number % 3 ? 'jane' : 'JANE'), [], []))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(UsernameTaken)
    expect((await stores.users.list({ limit: 100 })).items).toHaveLength(1)
  })

  test('users are found by an address that they have proved, and at most two are told', async () => {
    await using stores = await open()
    const withEmail = (name: string, email: string, emailVerified?: boolean) => user(name, { profile: { email, emailVerified } })
    const [a, b] = [withEmail('a', 'Jane@Acme.Example', true), withEmail('b', 'jane@acme.example', true)]
    await stores.users.insert(withEmail('unproved', 'jane@acme.example', false), [], [])
    await stores.users.insert(withEmail('silent', 'jane@acme.example'), [], [])
    expect(await stores.users.findByVerifiedEmail('jane@acme.example')).toEqual([])
    await stores.users.insert(a, [], [])
    expect(await stores.users.findByVerifiedEmail('JANE@acme.EXAMPLE')).toEqual([a])
    await stores.users.insert(b, [], [])
    await stores.users.insert(withEmail('c', 'jane@acme.example', true), [], [])
    expect(await stores.users.findByVerifiedEmail('jane@acme.example')).toHaveLength(2)
    expect(await stores.users.findByVerifiedEmail('john@acme.example')).toEqual([])
    await stores.users.update(a.id, (current) => ({ user: { ...current, profile: {} }, events: [] }))
    const left = await stores.users.findByVerifiedEmail('jane@acme.example')
    expect(left.map(({ username }) => username)).toEqual(['b', 'c'])
  })

  test('a list goes through all users by id, a page at a time', async () => {
    await using stores = await open()
    expect(await stores.users.isEmpty()).toBe(true)
    expect(await stores.users.list({ limit: 10 })).toEqual({ items: [] })
    const users = upTo(7).map((number) => user(`user-${8 - number}`))
    for (const each of [...users].reverse()) await stores.users.insert(each, [entry('k', bytes('v'))], [])
    expect(await stores.users.isEmpty()).toBe(false)
    const first = await stores.users.list({ limit: 3 })
    expect(first).toEqual({ items: users.slice(0, 3), next: users[2]?.id })
    expect(await stores.users.list({ limit: 3, after: first.next })).toEqual({ items: users.slice(3, 6), next: users[5]?.id })
    expect(await stores.users.list({ limit: 3, after: users[5]?.id })).toEqual({ items: users.slice(6) })
    expect(await stores.users.list({ limit: 7 })).toEqual({ items: users })
    const all: User[] = []
    for await (const each of everyItem(stores.users.list, 2)) all.push(each)
    expect(all).toEqual(users)
  })

  test('a user comes with all metadata, oldest first', async () => {
    await using stores = await open()
    const jane = user('jane', { sequence: 4 })
    const entries = [entry('z', bytes('1'), 2), entry('a', bytes('2'), 3), entry('m', bytes('3'), 4, later(-5))]
    await stores.users.insert(jane, entries, [])
    const found = await stores.users.findWithMetadata(jane.id)
    expect(found?.user).toEqual(jane)
    expect(plain(found?.metadata ?? [])).toEqual([entries[2], entries[0], entries[1]])
    const john = user('john')
    await stores.users.insert(john, [], [])
    expect(await stores.users.findWithMetadata(john.id)).toEqual({ user: john, metadata: [] })
    expect(await stores.users.findWithMetadata(unknown)).toBeUndefined()
  })

  test('a change replaces the user and is told in the trail, and no change is none', async () => {
    await using stores = await open()
    const jane = user('jane', { passwordHash: 'hash', secretHash: 'secret' })
    await stores.users.insert(jane, [entry('k', bytes('v'))], [event(jane.id, 1)])
    const change = { ...jane, username: 'Janet', passwordHash: undefined, state: 'inactive', sequence: 2, changedAt: later(9) } as const
    const told = event(jane.id, 2)
    expect(await stores.users.update(jane.id, () => ({ user: change, events: [told] }))).toEqual(change)
    expect(await stores.users.find(jane.id)).toEqual(change)
    expect(await stores.users.findByUsername('janet')).toEqual(change)
    expect(await stores.users.findByUsername('jane')).toBeUndefined()
    expect((await stores.users.findWithMetadata(jane.id))?.metadata).toHaveLength(1)
    expect(await stores.users.update(jane.id, () => undefined)).toEqual(change)
    expect((await stores.audit.list({ kind: 'user', id: jane.id }, { limit: 10 })).map(({ sequence }) => sequence)).toEqual([2, 1])
    await stores.users.insert(user('jane'), [], [])
  })

  test('a change that is refused leaves nothing behind', async () => {
    await using stores = await open()
    const jane = user('jane')
    await stores.users.insert(jane, [], [event(jane.id, 1)])
    await stores.users.insert(user('john'), [], [])
    const renamed = (username: string, ...sequences: number[]) =>
      stores.users.update(jane.id, (current) => ({
        user: { ...current, username, sequence: 9 },
        events: sequences.map((sequence) => event(jane.id, sequence)),
      }))
    await expect(renamed('JOHN', 2)).rejects.toThrow(UsernameTaken)
    await expect(renamed('janet', 2, 1)).rejects.toThrow()
    const changedMind = () => {
      throw new RangeError('changed my mind')
    }
    await expect(stores.users.update(jane.id, changedMind)).rejects.toThrow(RangeError)
    await expect(stores.users.remove(jane.id, changedMind)).rejects.toThrow(RangeError)
    await expect(stores.users.remove(jane.id, () => [event(jane.id, 1)])).rejects.toThrow()
    expect(await stores.users.find(jane.id)).toEqual(jane)
    expect(await stores.audit.list({ kind: 'user', id: jane.id }, { limit: 10 })).toHaveLength(1)
    await stores.users.insert(user('janet'), [], [])
    await expect(stores.users.update(unknown, changedMind)).rejects.toThrow(UserNotFound)
    await expect(stores.users.remove(unknown, changedMind)).rejects.toThrow(UserNotFound)
  })

  test('fifty changes of one user at once, in two processes, all happen one after the other', async () => {
    await using stores = await open()
    await using others = await stores.again()
    const jane = user('jane', { sequence: 0 })
    await stores.users.insert(jane, [], [])
    const outcomes = await atOnce(50, (number) =>
      (number % 2 ? stores : others).users.update(jane.id, (current) => {
        const sequence = current.sequence + 1
        return { user: { ...current, sequence, profile: { nickName: `${sequence}` } }, events: [event(jane.id, sequence)] }
      }),
    )
    const answers = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.sequence : outcome.reason))
    expect(answers.sort((a, b) => a - b)).toEqual(upTo(50))
    expect(await stores.users.find(jane.id)).toMatchObject({ sequence: 50, profile: { nickName: '50' } })
    const events = await stores.audit.list({ kind: 'user', id: jane.id }, { limit: 100 })
    expect(events.map(({ sequence = 0 }) => sequence).sort((a, b) => a - b)).toEqual(upTo(50))
  })

  test('a removed user is gone with metadata and tokens, and the trail and the id stay', async () => {
    await using stores = await open()
    const jane = user('jane', { profile: { email: 'jane@acme.example', emailVerified: true } })
    await stores.users.insert(jane, [entry('k', bytes('v'))], [event(jane.id, 1)])
    await stores.tokens.insert({ id: 't', userId: jane.id, name: 'ci', hash: 'h', createdAt: at }, [])
    await stores.users.remove(jane.id, (current) => [event(current.id, current.sequence + 1)])
    expect(await stores.users.find(jane.id)).toBeUndefined()
    expect(await stores.users.findByUsername('jane')).toBeUndefined()
    expect(await stores.users.findByVerifiedEmail('jane@acme.example')).toEqual([])
    expect(await stores.users.isEmpty()).toBe(true)
    expect(await stores.metadata.find(jane.id, 'k')).toBeUndefined()
    expect(await stores.tokens.findByHash('h')).toBeUndefined()
    expect(await stores.audit.list({ kind: 'user', id: jane.id }, { limit: 10 })).toHaveLength(2)
    await expect(stores.users.insert(jane, [], [event(jane.id, 1)])).rejects.toThrow(UserIdTaken)
    await expect(stores.users.remove(jane.id, () => [])).rejects.toThrow(UserNotFound)
    await stores.users.insert(user('jane'), [], [])
  })
}
