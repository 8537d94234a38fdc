import { describe, expect, test } from 'vitest'
import { composeDomain } from '#src/composeDomain.ts'
import { openStores } from '#src/storage/open.ts'
import { testStores } from '../support/stores.ts'

const system = { kind: 'system' } as const
const secrets = ['a secret for tests of more than 32 bytes']

describe.each(testStores)('on $name', ({ make }) => {
  test('nobody takes the proven address of somebody else for a user name', async () => {
    const address = make()
    const stores = await openStores(
      address.startsWith('sqlite:') ? { kind: 'sqlite', directory: address.slice(7) } : { kind: 'mongodb', url: address },
    )
    const { users } = composeDomain({ stores, secrets })
    const person = (username: string, email?: string, emailVerified = true) =>
      users.create({ kind: 'human', username, profile: email === undefined ? {} : { email, emailVerified } }, system)
    const road = await person('road', 'road@acme.example')
    await expect(person('Road@Acme.Example')).rejects.toMatchObject({ code: 'user.username_taken' })
    const other = await person('other')
    await expect(users.edit(other.id, { username: 'road@acme.example' }, system)).rejects.toMatchObject({ code: 'user.username_taken' })
    expect((await users.edit(road.id, { username: 'road@acme.example' }, system)).username).toBe('road@acme.example')
    await person('unproven', 'free@acme.example', false)
    const free = await person('free@acme.example')
    expect((await users.findByLoginName('free@acme.example'))?.id).toBe(free.id)
    // Who has the name keeps it when somebody proves the address later, and is edited as before.
    await users.edit(other.id, { profile: { email: 'free@acme.example', emailVerified: true } }, system)
    expect((await users.edit(free.id, { username: 'free@acme.example', profile: { nickName: 'F' } }, system)).profile.nickName).toBe('F')
    // What the operator's file says is done, in whichever order.
    await users.create(
      { kind: 'human', username: 'file', profile: { email: 'b@a.example', emailVerified: true }, provisionedBy: 'f' },
      system,
    )
    await users.create({ kind: 'human', username: 'b@a.example', profile: {}, provisionedBy: 'f' }, system)
    await stores.close()
  })
})
