import { describe, expect, test } from 'vitest'
import { testStores } from '../../support/stores.ts'
import { form, from, openPlace, password, refusal, system } from './place.ts'

const expired = { code: 'accounts.proof_expired' }
const next = 'another password'

describe.each(testStores)('on $name', (store) => {
  test('whoever reads the mail of a proven address sets another password, which ends sessions and is told', async () => {
    await using place = await openPlace(store)
    const { passwordReset, domain } = place
    const jane = await place.person('jane', { profile: { email: 'jane@acme.example', emailVerified: true, locale: 'de' } })
    await domain.stores.artifacts.put({ model: 'Session', id: 's', payload: { uid: 'u' }, accountId: jane.id })
    await passwordReset.request(' jane@ACME.example ', from(1))
    const link = await place.link()
    expect((await place.messages()).at(-1)).toContain('Neues Passwort')
    expect(await passwordReset.find(link)).toMatchObject({ username: 'jane' })
    expect((await refusal(passwordReset.reset(link, 'short'))).faults).toEqual([{ field: 'password', reason: 'tooShort' }])
    await passwordReset.reset(link, next)
    expect(await domain.stores.artifacts.find('Session', 's')).toBeUndefined()
    const signIn = (given: string) => domain.signIn({ name: 'jane', password: given, address: '192.0.2.1' })
    expect(await signIn(password)).toEqual({ kind: 'refused' })
    expect(await signIn(next)).toMatchObject({ kind: 'signedIn' })
    expect(await refusal(passwordReset.reset(link, 'a third password'))).toMatchObject(expired)
    const told = (await place.messages()).at(-1)
    expect(told).toContain('Ihr Passwort')
    expect(told).not.toContain(next)
    expect(await place.eventsOf(jane.id)).toContain('user.password_changed')
  })

  test('nothing is sent to nobody, to an address that is not proven, to a machine and to who may not come back; the answer is the same', async () => {
    await using place = await openPlace(store)
    await place.person('unproven', { profile: { email: 'unproven@acme.example' } })
    const [off, locked] = [await place.person('off'), await place.person('locked')]
    await place.users.deactivate(off.id, system)
    await place.users.lock(locked.id, system)
    await place.users.create({ kind: 'machine', username: 'machine', profile: { email: 'm@acme.example', emailVerified: true } }, system)
    for (const name of ['nobody', 'nobody@acme.example', 'unproven', 'off', 'locked', 'machine', '', '\u0000'.repeat(10_000)])
      expect(await place.passwordReset.request(name, from(1))).toBeUndefined()
    expect(await place.messages()).toEqual([])
    expect(place.faults).toEqual([])
  })

  test('a link is good for an hour, whoever asks for another one meanwhile; of many who use it at once, one does', async () => {
    await using place = await openPlace(store)
    const { passwordReset } = place
    await place.person('jane')
    const ask = async () => {
      await passwordReset.request('jane', from(1))
      return place.link()
    }
    const [first, second] = [await ask(), await ask()]
    expect(await passwordReset.find(second)).toMatchObject({ username: 'jane' })
    const all = await Promise.all([1, 2, 3, 4].map((n) => refusal(passwordReset.reset(first, `${next} ${n}`))))
    expect(all.filter(({ code }) => code === undefined)).toHaveLength(1)
    // With the password until then the other link is gone, too.
    expect(await refusal(passwordReset.reset(second, next))).toMatchObject(expired)
    const third = await ask()
    place.pass(3601)
    expect(await passwordReset.find(third)).toBeUndefined()
    expect(await refusal(passwordReset.reset(third, next))).toMatchObject(expired)
  })

  test('a link dies with another way to a new password, and when its user may not come back', async () => {
    await using place = await openPlace(store)
    const { passwordReset, users } = place
    const jane = await place.person('jane')
    await passwordReset.request('jane', from(1))
    const first = await place.link()
    await users.setPassword(jane.id, next, system)
    expect(await refusal(passwordReset.reset(first, next))).toMatchObject(expired)
    await passwordReset.request('jane', from(1))
    const second = await place.link()
    await users.lock(jane.id, system)
    expect(await refusal(passwordReset.reset(second, next))).toMatchObject(expired)
  })

  test('an account gets a few messages an hour, and whoever asks again and again must wait', async () => {
    await using place = await openPlace(store)
    await place.person('jane')
    for (let n = 0; n < 8; n += 1) await place.passwordReset.request('jane', from(n))
    expect(await place.messages()).toHaveLength(5)
    const many = await Promise.all(Array.from({ length: 31 }, () => refusal(place.passwordReset.request('nobody', from(99)))))
    expect(many.filter(({ code }) => code === 'accounts.too_many_requests')).toHaveLength(1)
  })

  test('strangers who use up the messages of one kind keep no other kind from anybody', async () => {
    await using place = await openPlace(store)
    const { passwordReset, registration } = place
    const jane = await place.person('jane')
    for (let n = 0; n < 8; n += 1) await registration.begin(form({ email: 'jane@acme.example' }), from(n))
    expect(await place.messages()).toHaveLength(5)
    for (let n = 0; n < 8; n += 1) await passwordReset.request('jane', from(n))
    expect(await place.messages()).toHaveLength(10)
    // Nor does a manager's link count, or wait for, what strangers ask for; it has a limit of its own.
    for (let n = 0; n < 5; n += 1) expect(await passwordReset.send(jane)).toBe(true)
    expect(await passwordReset.send(jane)).toBe(false)
    await passwordReset.reset(await place.link(), next)
  })

  test('a link is good while it went to the proven address, whoever changes that', async () => {
    await using place = await openPlace(store)
    const { passwordReset, users } = place
    const jane = await place.person('jane')
    await passwordReset.request('jane', from(1))
    const link = await place.link()
    await users.edit(jane.id, { profile: { email: 'jane@new.example', emailVerified: true } }, system)
    expect(await passwordReset.find(link)).toBeUndefined()
    expect(await refusal(passwordReset.reset(link, next))).toMatchObject(expired)
  })

  test('whoever was kept waiting by strangers signs in at once after the reset', async () => {
    await using place = await openPlace(store)
    await place.person('jane')
    const signIn = (given: string) => place.domain.signIn({ name: 'jane', password: given, address: '192.0.2.1' })
    for (let n = 0; n < 7; n += 1) await signIn('a wrong password')
    expect(await signIn(password)).toMatchObject({ kind: 'throttled' })
    await place.passwordReset.request('jane', from(1))
    await place.passwordReset.reset(await place.link(), next)
    expect(await signIn(next)).toMatchObject({ kind: 'signedIn' })
  })

  test('somebody changes their password with the one until now', async () => {
    await using place = await openPlace(store)
    const { passwordReset } = place
    const { id } = await place.person('jane')
    const change = (given: object) => refusal(passwordReset.change(id, { current: password, next, ...from(1), ...given }))
    expect((await change({ current: 'wrong password' })).faults).toEqual([{ field: 'currentPassword', reason: 'wrong' }])
    expect((await change({ next: '' })).faults).toEqual([{ field: 'password', reason: 'missing' }])
    expect(await change({})).toEqual({})
    expect(await place.domain.signIn({ name: 'jane', password: next, address: '192.0.2.1' })).toMatchObject({ kind: 'signedIn' })
    expect((await place.messages()).at(-1)).toContain('was changed')
    for (let n = 0; n < 5; n += 1) await change({ current: 'wrong password' })
    expect(await change({ current: next })).toMatchObject({ code: 'user.too_many_attempts' })
  })
})
