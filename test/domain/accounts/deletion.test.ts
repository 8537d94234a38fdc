import { describe, expect, test } from 'vitest'
import { createLease } from '#src/domain/sessions/lease.ts'
import type { UserId } from '#src/domain/users/user.ts'
import { testStores } from '../../support/stores.ts'
import { openPlace, password, refusal, system } from './place.ts'

const day = 86_400
const expired = { code: 'accounts.proof_expired' }

describe.each(testStores)('on $name', (store) => {
  test('whoever deletes their account is shut out at once, and gone after the time of grace', async () => {
    await using place = await openPlace(store)
    const { deletions, users, domain } = place
    const jane = await place.person('jane')
    const { token } = await users.createToken(jane.id, { name: 'cli' }, system)
    await domain.stores.artifacts.put({ model: 'Session', id: 's', payload: { uid: 'u' }, accountId: jane.id })
    const leaving = await deletions.request(jane.id)
    expect(leaving).toMatchObject({ state: 'inactive', deletionAt: '2027-01-31T12:00:00.000Z' })
    expect(await domain.stores.artifacts.find('Session', 's')).toBeUndefined()
    expect(await users.findByToken(token)).toBeUndefined()
    expect((await place.messages()).at(-1)).toContain('January 31, 2027')
    place.pass(30 * day - 1)
    await deletions.removeDue()
    expect(await users.find(jane.id)).toBeDefined()
    place.pass(1)
    await deletions.removeDue()
    expect(await users.find(jane.id)).toBeUndefined()
    expect((await place.messages()).at(-1)).toContain('was deleted')
    expect(await place.eventsOf(jane.id)).toEqual(['user.removed', 'user.deletion_requested', 'user.token_created', 'user.created'])
    expect(await domain.stores.artifacts.list('AccountDeletion', { limit: 5 })).toEqual([])
  })

  test('whoever signs in in time may keep the account, once they say so', async () => {
    await using place = await openPlace(store)
    const { deletions, domain } = place
    const jane = await place.person('jane')
    const signIn = (given: string) => domain.signIn({ name: 'jane', password: given, address: '192.0.2.1' })
    await deletions.request(jane.id)
    expect(await signIn('a wrong password')).toEqual({ kind: 'refused' })
    const result = await signIn(password)
    if (result.kind !== 'leaving') throw new Error(result.kind)
    expect((await place.users.get(jane.id)).state).toBe('inactive')
    const offer = await deletions.offerToStay(result.user)
    expect(await refusal(deletions.stay('made up'))).toMatchObject(expired)
    const all = await Promise.all([1, 2, 3].map(() => refusal(deletions.stay(offer))))
    expect(all.filter(({ code }) => code === undefined)).toHaveLength(1)
    const stayed = await place.users.get(jane.id)
    expect(stayed.state).toBe('active')
    expect(stayed.deletionAt).toBeUndefined()
    expect(await signIn(password)).toMatchObject({ kind: 'signedIn' })
    place.pass(31 * day)
    await deletions.removeDue()
    expect(await place.users.find(jane.id)).toBeDefined()
    expect(await domain.stores.artifacts.list('AccountDeletion', { limit: 5 })).toEqual([])
    expect((await place.eventsOf(jane.id)).filter((type) => type.includes('deletion'))).toEqual([
      'user.deletion_cancelled',
      'user.deletion_requested',
    ])
  })

  test('whoever asks, thinks better of it and asks again goes by the later date', async () => {
    await using place = await openPlace(store)
    const { deletions, users } = place
    const jane = await place.person('jane')
    await deletions.request(jane.id)
    await users.reactivate(jane.id, system)
    expect((await place.eventsOf(jane.id)).slice(0, 2).toSorted()).toEqual(['user.deletion_cancelled', 'user.reactivated'])
    place.pass(10 * day)
    await deletions.request(jane.id)
    place.pass(20 * day)
    await deletions.removeDue()
    expect(await users.find(jane.id)).toBeDefined()
    place.pass(10 * day)
    await deletions.removeDue()
    expect(await users.find(jane.id)).toBeUndefined()
  })

  test('who was locked meanwhile may not stay, and an offer is good for a quarter of an hour', async () => {
    await using place = await openPlace(store)
    const { deletions, users } = place
    const jane = await place.person('jane')
    const early = await deletions.offerToStay(jane)
    expect(await refusal(deletions.stay(early))).toMatchObject(expired)
    const leaving = await deletions.request(jane.id)
    const offer = await deletions.offerToStay(leaving)
    place.pass(901)
    expect(await refusal(deletions.stay(offer))).toMatchObject(expired)
    const second = await deletions.offerToStay(leaving)
    await users.lock(jane.id, system)
    expect(await refusal(deletions.stay(second))).toMatchObject(expired)
    expect(await place.domain.signIn({ name: 'jane', password, address: '192.0.2.1' })).toEqual({ kind: 'refused' })
  })

  test('an administrator has to be let go by another one', async () => {
    await using place = await openPlace(store)
    const admin = await place.person('admin', { admin: true })
    expect(await refusal(place.deletions.request(admin.id))).toMatchObject({ code: 'accounts.administrators_stay' })
    expect((await place.users.get(admin.id)).state).toBe('active')
    place.pass(31 * day)
    await place.deletions.removeDue()
    expect(await place.users.find(admin.id)).toBeDefined()
    expect(await refusal(place.deletions.request('000000000000000000000000' as UserId))).toMatchObject({ code: 'user.not_found' })
  })

  test('whoever forgot the password gets another one in time to stay', async () => {
    await using place = await openPlace(store)
    const jane = await place.person('jane')
    await place.deletions.request(jane.id)
    expect(await place.messages()).toHaveLength(1)
    await place.passwordReset.request('jane', { address: '192.0.2.1' })
    await place.passwordReset.reset(await place.link(), 'another password')
    expect((await place.users.get(jane.id)).state).toBe('inactive')
    const result = await place.domain.signIn({ name: 'jane', password: 'another password', address: '192.0.2.1' })
    expect(result.kind).toBe('leaving')
  })

  test('who is to go is known of the user, also where what tells who is due was lost', async () => {
    await using place = await openPlace(store)
    const { deletions, users, domain } = place
    const [jane, locked, off] = [await place.person('jane'), await place.person('locked'), await place.person('off')]
    await users.deactivate(off.id, system)
    for (const { id } of [jane, locked]) await deletions.request(id)
    await users.lock(locked.id, system)
    const { artifacts } = domain.stores
    const lose = async () => {
      for (const { payload } of await artifacts.list('AccountDeletion', { limit: 10 }))
        await artifacts.remove('AccountDeletion', String(payload.id))
    }
    await lose()
    await deletions.noteAll()
    place.pass(31 * day)
    await deletions.removeDue()
    expect([await users.find(jane.id), await users.find(locked.id)]).toEqual([undefined, undefined])
    expect(await users.find(off.id)).toBeDefined()
  })

  test('many are removed in one go, by whichever server has the lease', async () => {
    await using place = await openPlace(store)
    const { stores } = place.domain
    const people = await Promise.all(Array.from({ length: 120 }, (_, n) => place.person(`p${n}`, { password: undefined as never })))
    for (const { id } of people) await place.deletions.request(id)
    place.pass(31 * day)
    const [one, two] = [1, 2].map(() => createLease({ artifacts: stores.artifacts, id: 'account deletions', now: place.now }))
    expect([await one?.hold(), await two?.hold()]).toEqual([true, false])
    await Promise.all([place.deletions.removeDue(), place.deletions.removeDue()])
    expect(await place.users.isEmpty()).toBe(true)
    expect(place.faults).toEqual([])
  })
})
