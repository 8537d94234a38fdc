import { describe, expect, test } from 'vitest'
import { testStores } from '../../support/stores.ts'
import { from, openPlace, refusal, system } from './place.ts'

const expired = { code: 'accounts.proof_expired' }
const codeIn = (message = '') => /\b(\d{6})\b/.exec(message)?.[1] ?? ''

describe.each(testStores)('on $name', (store) => {
  test('another address counts when its link is followed by who asked, and the one before is told', async () => {
    await using place = await openPlace(store)
    const { contacts, users } = place
    const [jane, other] = [await place.person('jane'), await place.person('other')]
    await contacts.requestEmail(jane.id, ' jane@new.example ', from(1))
    const link = await place.link()
    expect((await place.messages()).at(-1)).toContain('To: jane@new.example')
    expect((await users.get(jane.id)).profile.email).toBe('jane@acme.example')
    // Whoever gets it by mistake has another account, or none.
    expect(await contacts.findEmail(other.id, link)).toBeUndefined()
    expect(await refusal(contacts.confirmEmail(other.id, link))).toMatchObject(expired)
    expect(await contacts.findEmail(jane.id, link)).toBe('jane@new.example')
    const changed = await contacts.confirmEmail(jane.id, link)
    expect(changed).toMatchObject({ username: 'jane', profile: { email: 'jane@new.example', emailVerified: true } })
    const told = (await place.messages()).at(-1) ?? ''
    expect(told).toContain('To: jane@acme.example')
    expect(told).not.toContain('jane@new.example')
    expect(await refusal(contacts.confirmEmail(jane.id, link))).toMatchObject(expired)
  })

  test('a user name that was the address follows it, and links to a new password at the one before die', async () => {
    await using place = await openPlace(store)
    const jane = await place.person('Jane@acme.example', { profile: { email: 'jane@acme.example', emailVerified: true } })
    await place.passwordReset.request('jane@acme.example', from(1))
    const reset = await place.link()
    await place.contacts.requestEmail(jane.id, 'jane@new.example', from(1))
    expect((await place.contacts.confirmEmail(jane.id, await place.link())).username).toBe('jane@new.example')
    expect(await refusal(place.passwordReset.reset(reset, 'another password'))).toMatchObject(expired)
  })

  test('whose an address is, is told to the address only', async () => {
    await using place = await openPlace(store)
    const { contacts, users } = place
    const [jane, other] = [await place.person('jane'), await place.person('other')]
    expect(await contacts.requestEmail(jane.id, 'other@acme.example', from(1))).toBeUndefined()
    const [message = ''] = await place.messages()
    expect(message).toContain('To: other@acme.example')
    expect(message).not.toContain('link=')
    // Somebody proves it first.
    await contacts.requestEmail(jane.id, 'free@acme.example', from(1))
    const link = await place.link()
    await users.edit(other.id, { profile: { email: 'free@acme.example', emailVerified: true } }, system)
    expect(await refusal(contacts.confirmEmail(jane.id, link))).toMatchObject(expired)
    expect((await users.get(jane.id)).profile.email).toBe('jane@acme.example')
  })

  test('a link is good for an hour, until the next one, and until the password is another', async () => {
    await using place = await openPlace(store)
    const { contacts } = place
    const jane = await place.person('jane')
    const ask = async () => {
      await contacts.requestEmail(jane.id, 'jane@new.example', from(1))
      return place.link()
    }
    const [first, second] = [await ask(), await ask()]
    expect(await refusal(contacts.confirmEmail(jane.id, first))).toMatchObject(expired)
    await place.users.setPassword(jane.id, 'another password', system)
    expect(await refusal(contacts.confirmEmail(jane.id, second))).toMatchObject(expired)
    const third = await ask()
    place.pass(3601)
    expect(await refusal(contacts.confirmEmail(jane.id, third))).toMatchObject(expired)
    for (const email of ['', 'jane', 'a@b, c@d'])
      expect((await refusal(contacts.requestEmail(jane.id, email, from(1)))).code).toBe('accounts.invalid')
  })

  test('a number is proved by the code of a text message', async () => {
    await using place = await openPlace(store)
    const { contacts, users } = place
    const jane = await place.person('jane')
    for (const phone of ['', '044 123 45 67', '+41x44', '+0123456789', '+4144123456789012'])
      expect((await refusal(contacts.requestPhone(jane.id, phone, from(1)))).code).toBe('accounts.invalid')
    expect(await contacts.requestPhone(jane.id, '+41 (44) 123-45-67', from(1))).toBe('+41441234567')
    const [message = ''] = await place.messages()
    expect(message).toMatch(/^To: \+41441234567\n/)
    expect(await contacts.findPhone(jane.id)).toBe('+41441234567')
    expect((await users.get(jane.id)).profile.phone).toBeUndefined()
    const code = codeIn(message)
    expect(JSON.stringify(await place.domain.stores.artifacts.list('PhoneCode', { limit: 5 }))).not.toContain(code)
    const changed = await contacts.confirmPhone(jane.id, ` ${code.slice(0, 3)} ${code.slice(3)}`, from(1))
    expect(changed.profile).toMatchObject({ phone: '+41441234567', phoneVerified: true })
    expect(await refusal(contacts.confirmPhone(jane.id, code, from(1)))).toMatchObject(expired)
    expect((await contacts.removePhone(jane.id)).profile).toEqual({ email: 'jane@acme.example', emailVerified: true })
  })

  test('a code cannot be guessed: it dies after five tries, after ten minutes and with the next one', async () => {
    await using place = await openPlace(store)
    const { contacts } = place
    const jane = await place.person('jane')
    const ask = async () => {
      await contacts.requestPhone(jane.id, '+41441234567', from(1))
      return codeIn((await place.messages()).at(-1))
    }
    const other = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0')
    const first = await ask()
    // All at once, as somebody would who hopes to slip through.
    const tries = await Promise.all(Array.from({ length: 12 }, () => refusal(contacts.confirmPhone(jane.id, other(first), from(1)))))
    expect(tries.filter(({ code }) => code === 'accounts.invalid')).toHaveLength(5)
    expect(await refusal(contacts.confirmPhone(jane.id, first, from(1)))).toMatchObject(expired)
    const second = await ask()
    place.pass(601)
    expect(await refusal(contacts.confirmPhone(jane.id, second, from(1)))).toMatchObject(expired)
    const [third, fourth] = [await ask(), await ask()]
    if (third !== fourth) expect((await refusal(contacts.confirmPhone(jane.id, third, from(1)))).code).toBe('accounts.invalid')
    expect((await contacts.confirmPhone(jane.id, fourth, from(1))).profile.phoneVerified).toBe(true)
  })

  test('text messages are few: for a person and for a number', async () => {
    await using place = await openPlace(store)
    const { contacts } = place
    const [jane, other] = [await place.person('jane'), await place.person('other')]
    for (let n = 0; n < 5; n += 1) await contacts.requestPhone(jane.id, `+4144123456${n % 2}`, from(n))
    expect(await refusal(contacts.requestPhone(jane.id, '+41441234569', from(9)))).toMatchObject({ retryAfterSeconds: 3600 })
    for (let n = 0; n < 2; n += 1) await contacts.requestPhone(other.id, '+41441234560', from(n))
    expect(await refusal(contacts.requestPhone(other.id, '+41441234560', from(9)))).toMatchObject({ code: 'accounts.too_many_requests' })
    expect(await place.messages()).toHaveLength(7)
  })

  test('text messages are few an hour for all people together, however many register', async () => {
    await using place = await openPlace(store, {}, { DOSSIER_SMS_PER_HOUR: '3' })
    const { contacts } = place
    const ask = async (n: number) => refusal(contacts.requestPhone((await place.person(`person${n}`)).id, `+4144123456${n}`, from(n)))
    for (const n of [1, 2, 3]) expect(await ask(n)).toEqual({})
    expect(await ask(4)).toMatchObject({ code: 'accounts.too_many_requests', retryAfterSeconds: 3600 })
    expect(await place.messages()).toHaveLength(3)
    place.pass(3600)
    expect(await ask(5)).toEqual({})
  })

  test('people change what the settings let them, and no more', async () => {
    await using place = await openPlace(store, { selfManagedProfile: ['givenName'], selfManagedMetadata: ['prefs.*'] })
    const { contacts, profiles } = place
    const { id } = await place.person('jane')
    const no = { code: 'accounts.not_self_managed' }
    expect(await refusal(contacts.requestEmail(id, 'jane@new.example', from(1)))).toMatchObject(no)
    expect(await refusal(contacts.requestPhone(id, '+41441234567', from(1)))).toMatchObject(no)
    expect(await refusal(profiles.edit(id, { givenName: 'J', familyName: 'D' }))).toMatchObject(no)
    expect((await profiles.edit(id, { givenName: ' Jane ' })).profile.givenName).toBe('Jane')
    const value = Buffer.from('dark')
    expect(await refusal(profiles.setMetadata(id, { key: 'ContractNumber', value }))).toMatchObject(no)
    await profiles.setMetadata(id, { key: 'prefs.theme', value })
    expect(await refusal(profiles.removeMetadata(id, 'ContractNumber'))).toMatchObject(no)
    await profiles.removeMetadata(id, 'prefs.theme')
    await place.set({ selfManagedProfile: true })
    const wrong = profiles.edit(id, { locale: '?', picture: 'javascript:alert(1)', nickName: 'x'.repeat(1001), address: { country: 'CH' } })
    expect((await refusal(wrong)).faults).toEqual([
      { field: 'nickName', reason: 'invalid' },
      { field: 'locale', reason: 'invalid' },
      { field: 'picture', reason: 'invalid' },
    ])
    const edited = await profiles.edit(id, { givenName: '', locale: 'de-CH', address: { country: 'CH', region: '' } })
    expect(edited.profile).toEqual({ locale: 'de-CH', email: 'jane@acme.example', emailVerified: true, address: { country: 'CH' } })
    expect((await profiles.edit(id, { address: {} })).profile.address).toBeUndefined()
  })
})
