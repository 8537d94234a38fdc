import { describe, expect, test } from 'vitest'
import { testStores } from '../../support/stores.ts'
import { browser, form, from, openPlace, password, refusal } from './place.ts'

describe.each(testStores)('on $name', (store) => {
  test('whoever follows the link from their mailbox is a user, with a proven address and metadata, and can sign in', async () => {
    await using place = await openPlace(store, {
      registrationFields: [
        { key: 'ContractNumber', label: 'Contract', pattern: '[0-9]{4}', required: true },
        { key: 'Team', label: 'Team', required: false },
      ],
    })
    const { registration, users } = place
    const fields = { ContractNumber: ' 1234 ', Team: '', Admin: 'true' }
    await registration.begin(form({ username: 'nora', fields, locale: 'de', interaction: 'uid' }), from(1))
    const [message = ''] = await place.messages()
    expect(message).toContain('To: new@acme.example')
    expect(message).toContain('Adresse bestätigen')
    expect(message).not.toContain(password)
    expect(await users.isEmpty()).toBe(true)
    const link = await place.link()
    expect(await registration.find(link, browser)).toEqual({ email: 'new@acme.example', username: 'nora', isKnown: true })
    const confirmation = await registration.confirm(link, from(1))
    if (confirmation.kind !== 'confirmed') throw new Error(confirmation.kind)
    const { user, interaction } = confirmation
    expect(interaction).toBe('uid')
    expect(user).toMatchObject({ username: 'nora', kind: 'human', admin: false, roles: {}, state: 'active' })
    expect(user.profile).toEqual({ givenName: 'Nora', familyName: 'Newman', locale: 'de', email: 'new@acme.example', emailVerified: true })
    const found = await users.findWithMetadata(user.id)
    expect(found?.metadata.map(({ key, value }) => [key, Buffer.from(value).toString()])).toEqual([['ContractNumber', '1234']])
    expect((await place.eventsOf(user.id)).toSorted()).toEqual(['metadata.set', 'user.created'])
    expect(await place.domain.signIn({ name: 'new@acme.example', password, address: '192.0.2.1' })).toMatchObject({ kind: 'signedIn' })
    expect(await registration.confirm(link, from(1))).toEqual({ kind: 'used' })
  })

  test('everything that is wrong with a form is told at once, by field', async () => {
    await using place = await openPlace(store, {
      registrationFields: [
        { key: 'Contract', label: 'Contract', pattern: '[0-9]{4}', required: true },
        { key: 'Team', label: 'Team', pattern: '[A-Z]+', required: false },
      ],
    })
    const wrong = form({
      username: ' \u0000',
      email: 'a@b@c',
      givenName: 'x'.repeat(201),
      familyName: 'a\nb',
      password: 'short',
      fields: { Team: 'a', __proto__: { Contract: '1234' } as never },
    })
    expect((await refusal(place.registration.begin(wrong, from(1)))).faults).toEqual([
      { field: 'email', reason: 'invalid' },
      { field: 'username', reason: 'invalid' },
      { field: 'givenName', reason: 'tooLong' },
      { field: 'familyName', reason: 'invalid' },
      { field: 'password', reason: 'tooShort' },
      { field: 'fields.Contract', reason: 'missing' },
      { field: 'fields.Team', reason: 'invalid' },
    ])
    for (const email of [
      'a,b@acme.example',
      'a@acme.example\r\nBcc: b@evil.example',
      '"a"@acme.example',
      'A <a@acme.example>',
      `${'a'.repeat(250)}@b.cd`,
    ])
      expect((await refusal(place.registration.begin(form({ email, fields: { Contract: '1234' } }), from(1)))).faults).toEqual([
        { field: 'email', reason: 'invalid' },
      ])
    expect(await place.messages()).toEqual([])
  })

  test('an address or a name that somebody has makes no difference but in the mail', async () => {
    await using place = await openPlace(store)
    const { registration } = place
    await place.person('jane', { profile: { email: 'jane@acme.example', emailVerified: true, locale: 'de' } })
    expect(await registration.begin(form({ email: 'Jane@acme.example' }), from(1))).toBeUndefined()
    const [taken = ''] = await place.messages()
    expect(taken).toContain('To: Jane@acme.example')
    expect(taken).toContain('Sie haben bereits ein Konto')
    expect(taken).not.toContain('link=')
    expect(await registration.begin(form({ username: 'JANE' }), from(1))).toBeUndefined()
    const link = await place.link()
    expect(await registration.confirm(link, from(1))).toEqual({ kind: 'usernameTaken', username: 'JANE' })
    // The link is good still, for a name that nobody has.
    expect(await registration.confirm(link, { username: 'jane', ...from(1) })).toEqual({ kind: 'usernameTaken', username: 'jane' })
    expect(await registration.confirm(link, { username: 'nora', ...from(1) })).toMatchObject({
      kind: 'confirmed',
      user: { username: 'nora' },
    })
  })

  test('nobody takes the address of somebody who is still to come for a user name', async () => {
    await using place = await openPlace(store)
    const { registration } = place
    const notYours = { faults: [{ field: 'username', reason: 'notYours' }] }
    expect(await refusal(registration.begin(form({ username: 'victim@acme.example' }), from(1)))).toMatchObject(notYours)
    await registration.begin(form({ username: 'New@ACME.example' }), from(1))
    const link = await place.link()
    expect(await refusal(registration.confirm(link, { username: 'victim@acme.example', ...from(1) }))).toMatchObject(notYours)
    expect(await registration.confirm(link, from(1))).toMatchObject({ kind: 'confirmed', user: { username: 'New@ACME.example' } })
  })

  test('of many who follow one link, or two links to one address, one makes a user', async () => {
    await using place = await openPlace(store)
    const { registration, users } = place
    await registration.begin(form(), from(1))
    const first = await place.link()
    await registration.begin(form({ username: 'second' }), from(2))
    const second = await place.link()
    const all = await Promise.all([first, second, first, second].map((link) => registration.confirm(link, from(1))))
    expect(all.filter(({ kind }) => kind === 'confirmed')).toHaveLength(1)
    for (const { kind } of all) expect(['confirmed', 'used', 'addressTaken']).toContain(kind)
    expect((await users.list({ limit: 10 })).items).toHaveLength(1)
  })

  test('somebody who got an account meanwhile has one, and no second', async () => {
    await using place = await openPlace(store)
    await place.registration.begin(form(), from(1))
    const link = await place.link()
    await place.person('other', { profile: { email: 'NEW@acme.example', emailVerified: true } })
    expect(await place.registration.confirm(link, from(1))).toEqual({ kind: 'addressTaken' })
    expect((await place.users.list({ limit: 10 })).items).toHaveLength(1)
  })

  test('in another browser the link wants the password, so that nobody lets a stranger in under their own address', async () => {
    await using place = await openPlace(store)
    const { registration } = place
    await registration.begin(form(), from(1))
    const link = await place.link()
    const elsewhere = { address: '192.0.2.9' }
    expect(await registration.find(link)).toMatchObject({ isKnown: false })
    expect(await registration.confirm(link, elsewhere)).toEqual({ kind: 'passwordWanted', isWrong: false })
    expect(await registration.confirm(link, { ...elsewhere, browser: 'another' })).toEqual({ kind: 'passwordWanted', isWrong: false })
    expect(await registration.confirm(link, { ...elsewhere, password: 'a wrong password' })).toEqual({
      kind: 'passwordWanted',
      isWrong: true,
    })
    expect(await place.users.isEmpty()).toBe(true)
    expect(await registration.confirm(link, { ...elsewhere, password })).toMatchObject({ kind: 'confirmed' })
    await registration.begin(form({ email: 'other@acme.example' }), from(1))
    const second = await place.link()
    for (let n = 0; n < 10; n += 1) await registration.confirm(second, { ...from(n), browser: 'another', password: 'a wrong password' })
    expect(await registration.confirm(second, { ...elsewhere, password })).toEqual({ kind: 'expired' })
  })

  test('whoever has just registered is signed in to the interaction that they left, once', async () => {
    await using place = await openPlace(store)
    const { registration } = place
    const jane = await place.person('jane')
    const ticket = await registration.arrive(jane, 'uid')
    expect(await registration.arrived(ticket, 'another')).toBeUndefined()
    expect(await registration.arrived(ticket, 'uid')).toBe(jane.id)
    expect(await registration.arrived(ticket, 'uid')).toBeUndefined()
    const late = await registration.arrive(jane, 'uid')
    place.pass(301)
    expect(await registration.arrived(late, 'uid')).toBeUndefined()
  })

  test('a link is good for an hour, and while registration is open', async () => {
    await using place = await openPlace(store)
    const { registration } = place
    await registration.begin(form(), from(1))
    const link = await place.link()
    await place.set({ registration: 'closed' })
    expect(await refusal(registration.confirm(link, from(1)))).toMatchObject({ code: 'accounts.not_self_managed' })
    expect(await refusal(registration.begin(form(), from(1)))).toMatchObject({ code: 'accounts.not_self_managed' })
    await place.set({ registration: 'open' })
    place.pass(3601)
    expect(await registration.find(link)).toBeUndefined()
    expect(await registration.confirm(link, from(1))).toEqual({ kind: 'expired' })
    expect(await registration.confirm('made up', from(1))).toEqual({ kind: 'expired' })
    expect(await place.users.isEmpty()).toBe(true)
  })

  test('whoever registers again and again must wait, and a mailbox gets a few messages an hour', async () => {
    await using place = await openPlace(store)
    const { registration } = place
    for (let n = 0; n < 7; n += 1) await registration.begin(form(), from(n))
    expect(await place.messages()).toHaveLength(5)
    place.pass(3601)
    await registration.begin(form(), from(1))
    expect(await place.messages()).toHaveLength(6)
    const many = Array.from({ length: 31 }, (_, n) => refusal(registration.begin(form({ email: `${n}@acme.example` }), from(99))))
    expect((await Promise.all(many)).filter(({ code }) => code === 'accounts.too_many_requests')).toHaveLength(1)
  })

  test('the store holds neither the password nor the secret of a link', async () => {
    await using place = await openPlace(store)
    await place.registration.begin(form(), from(1))
    const link = await place.link()
    const stored = await place.domain.stores.artifacts.list('AccountLink', { limit: 10 })
    expect(stored).toHaveLength(1)
    const text = JSON.stringify(stored)
    expect(text).toContain('$argon2id$')
    expect(text).not.toContain(password)
    expect(text).not.toContain(link)
  })
})
