/** The console's pages about users: finding, creating and changing them, as a browser without scripts does it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { User } from '#src/domain/users/user.ts'
import type { Browser, Page } from '../../support/browser.ts'
import { consoleBrowser, newManager } from '../../support/consolePeople.ts'
import { doneOf, faultOf, hiddenIn, problemOf } from '../../support/forms.ts'
import { type Idp, password, person, startIdp } from '../../support/idp.ts'

const system = { kind: 'system' } as const

let idp: Idp
let admin: User
let browser: Browser
beforeAll(async () => {
  idp = await startIdp()
  admin = await newManager(idp, 'IAM_OWNER')
  browser = await consoleBrowser(idp, admin)
})
afterAll(() => idp[Symbol.asyncDispose]())

const newPerson = (name: string) =>
  idp.domain.users.create({ ...person({ username: name, profile: { displayName: name, email: `${name}@acme.example` } }) }, system)
const linksIn = ({ text }: Page) => [...text.matchAll(/href="\/console\/users\/([0-9a-f]{24})"/g)].map(([, id]) => id)
test('people are found by words, state, kind and metadata', async () => {
  const found = await idp.domain.users.create(
    {
      ...person({ username: 'quentin', profile: { givenName: 'Quentin', familyName: 'Okapi' } }),
      metadata: [{ key: 'Contract', value: Buffer.from('XY-1') }],
    },
    system,
  )
  const robot = await idp.domain.users.create({ kind: 'machine', username: 'okapi-robot', profile: {} }, system)
  expect(linksIn(await browser.open('/console/users?q=oka+quen'))).toEqual([found.id])
  expect(linksIn(await browser.open(`/console/users?q=${found.id}`))).toEqual([found.id])
  expect(linksIn(await browser.open('/console/users?key=Contract&value=XY-1'))).toEqual([found.id])
  expect(linksIn(await browser.open('/console/users?key=Contract&value=XY'))).toEqual([])
  expect(linksIn(await browser.open('/console/users?q=okapi&kind=machine'))).toEqual([robot.id])
  await idp.domain.users.lock(found.id, system)
  expect(linksIn(await browser.open('/console/users?q=okapi&state=locked'))).toEqual([found.id])
  expect(faultOf(await browser.open('/console/users?value=XY'), 'key')).toMatch(/enter the key too/)
  expect((await browser.open('/console/users?q=nobodyhere')).text).toContain('Nobody is found this way')
})

test('a list of many goes on page by page, and nobody is shown twice or left out', async () => {
  const made = await Promise.all(Array.from({ length: 60 }, (_, index) => newPerson(`paged${index}`)))
  const first = await browser.open('/console/users?q=paged')
  const next = /rel="next" href="([^"]*)"/.exec(first.text)?.[1]?.replaceAll('&amp;', '&') ?? expect.unreachable()
  const second = await browser.open(next)
  expect([...linksIn(first), ...linksIn(second)].toSorted()).toEqual(made.map(({ id }) => id as string).toSorted())
  expect(second.text).not.toContain('rel="next"')
  expect(Buffer.byteLength(first.text)).toBeLessThan(60_000)
  // Of another list, or of nobody's making.
  expect((await browser.open(next.replace('q=paged', 'q=paged1'))).status).toBe(400)
  expect((await browser.open('/console/users?after=made-up')).status).toBe(400)
})

test('a person is created, and what is wrong is said at its field while what was typed stays', async () => {
  const page = await browser.open('/console/users/new')
  const typed = { username: 'grace', givenName: 'Grace', familyName: 'Hopper', email: 'not an address', emailVerified: 'yes' }
  const refused = await browser.submit(page, '/users/new', { ...typed, password: 'compilers!' })
  expect(refused.status).toBe(400)
  expect(faultOf(refused, 'email')).toBe('This is not an e-mail address.')
  expect(refused.text).toContain('value="Hopper"')
  expect(refused.text).toMatch(/name="emailVerified" value="yes" checked/)
  expect(refused.text).not.toContain('compilers!')

  const created = await browser.submit(refused, '/users/new', { ...typed, email: 'grace@acme.example', password: 'compilers!' })
  expect(doneOf(created)).toBe('The user was created.')
  const grace = await idp.domain.users.findByUsername('grace')
  expect(grace?.profile).toEqual({
    givenName: 'Grace',
    familyName: 'Hopper',
    displayName: 'Grace Hopper',
    email: 'grace@acme.example',
    emailVerified: true,
  })
  expect(await idp.domain.passwords.verify('compilers!', grace?.passwordHash)).toBe(true)
  expect(faultOf(await browser.submit(page, '/users/new', { username: 'grace' }), 'username')).toMatch(/taken/)
  expect(faultOf(await browser.submit(page, '/users/new', { username: 'x', password: 'short' }), 'password')).toMatch(/8 characters/)
})

test('an address that somebody has proved is not given to another person as proved, here or there', async () => {
  const owner = await idp.domain.users.create(
    { ...person(), profile: { displayName: 'Owner', email: 'owner@acme.example', emailVerified: true } },
    system,
  )
  const taken = { email: 'OWNER@acme.example', emailVerified: 'yes' }
  const create = await browser.submit(await browser.open('/console/users/new'), '/users/new', { username: 'second', ...taken })
  expect([create.status, faultOf(create, 'email')]).toEqual([400, expect.stringContaining('Somebody else has this address')])
  expect(await idp.domain.users.findByUsername('second')).toBeUndefined()
  const other = await idp.domain.users.create(person(), system)
  const form = await browser.open(`/console/users/${other.id}/edit`)
  const typed = { username: other.username, displayName: 'Other' }
  expect(faultOf(await browser.submit(form, '/edit', { ...typed, ...taken }), 'email')).toContain('Somebody else has this address')
  expect(await idp.domain.users.get(other.id)).toEqual(other)
  // Unproved it says nothing of whose it is, and one's own stays.
  expect(doneOf(await browser.submit(form, '/edit', { ...typed, email: taken.email, emailVerified: '' }))).toBe('Saved.')
  const own = await browser.open(`/console/users/${owner.id}/edit`)
  expect(doneOf(await browser.submit(own, '/edit', { username: owner.username, displayName: 'Renamed', ...taken }))).toBe('Saved.')
})

test('pages about one user have headings of their own', async () => {
  const jane = await idp.domain.users.create({ ...person(), metadata: [{ key: 'color', value: Buffer.from('blue') }] }, system)
  const pages = [
    '',
    '/metadata',
    '/metadata/new',
    '/metadata/paste',
    '/metadata/Y29sb3I',
    '/preview',
    '/roles',
    '/sessions',
    '/credentials',
    '/history',
  ]
  const headings = await Promise.all(
    pages.map(async (path) =>
      [...(await browser.open(`/console/users/${jane.id}${path}`)).text.matchAll(/<h1>(.*?)<\/h1>/gs)].map(([, inner]) => inner),
    ),
  )
  expect(headings.map(({ length }) => length)).toEqual(pages.map(() => 1))
  expect(new Set(headings.flat()).size).toBe(pages.length)
})

test('a service account is created without what only people have', async () => {
  const page = await browser.open('/console/users/new?kind=machine')
  const given = { username: 'exporter', displayName: 'Exporter', description: 'At night', email: 'a@b.example', password, admin: 'yes' }
  expect(doneOf(await browser.submit(page, '/users/new', given))).toBe('The user was created.')
  const { kind, profile, passwordHash, admin: isAdmin } = (await idp.domain.users.findByUsername('exporter')) ?? expect.unreachable()
  expect({ kind, profile, passwordHash, isAdmin }).toEqual({
    kind: 'machine',
    profile: { displayName: 'Exporter', description: 'At night' },
    passwordHash: undefined,
    isAdmin: false,
  })
})

test('a profile is edited as a whole, and a change of somebody else in between is not overwritten', async () => {
  const user = await newPerson('edited')
  const stale = await browser.open(`/console/users/${user.id}/edit`)
  await idp.domain.users.edit(user.id, { profile: (current) => ({ ...current, nickName: 'Eddie' }) }, system)
  const mine = { username: 'edited', displayName: 'Mine', locality: 'Zurich', locale: 'de-CH' }
  const refused = await browser.submit(stale, '/edit', mine)
  expect(problemOf(refused)).toMatch(/Somebody else has changed this meanwhile/)
  expect(refused.text).toContain('value="Mine"')
  expect((await idp.domain.users.get(user.id)).profile).toMatchObject({ displayName: 'edited', nickName: 'Eddie' })

  expect(doneOf(await browser.submit(refused, '/edit', mine))).toBe('Saved.')
  expect((await idp.domain.users.get(user.id)).profile).toEqual({ displayName: 'Mine', locale: 'de-CH', address: { locality: 'Zurich' } })
})

test('users are switched off and on, locked and unlocked, as often as their state allows', async () => {
  const user = await newPerson('moved')
  const page = () => browser.open(`/console/users/${user.id}`)
  const stateNow = async () => (await idp.domain.users.get(user.id)).state
  const active = await page()
  for (const [move, state] of [
    ['deactivate', 'inactive'],
    ['reactivate', 'active'],
    ['lock', 'locked'],
    ['unlock', 'active'],
  ] as const) {
    await browser.submit(await page(), '/state', { move })
    expect(await stateNow()).toBe(state)
  }
  const again = await browser.submit(active, '/state', { move: 'unlock' })
  expect(again.status).toBe(409)
  expect(problemOf(again)).toMatch(/another state/)
})

test('a user is removed once their name was typed', async () => {
  const user = await newPerson('removed')
  const page = await browser.open(`/console/users/${user.id}/remove`)
  const wrong = await browser.submit(page, '/remove', { typed: 'somebody' })
  expect(wrong.status).toBe(400)
  expect(await idp.domain.users.find(user.id)).toBeDefined()
  expect((await browser.submit(wrong, '/remove', { typed: 'removed' })).url.pathname).toBe('/console/users')
  expect(await idp.domain.users.find(user.id)).toBeUndefined()
  expect((await browser.open(`/console/users/${user.id}`)).status).toBe(404)
})

test('a password is set, which ends what the old one held', async () => {
  const user = await newPerson('forgetful')
  const page = await browser.open(`/console/users/${user.id}/password`)
  const differing = await browser.submit(page, '/password', { password: 'a new secret', again: 'another secret' })
  expect(faultOf(differing, 'again')).toMatch(/not the same/)
  expect(faultOf(await browser.submit(page, '/password', { password: 'short', again: 'short' }), 'password')).toMatch(/8 characters/)
  expect(doneOf(await browser.submit(page, '/password', { password: 'a new secret', again: 'a new secret' }))).toMatch(/was set/)
  const { passwordHash } = await idp.domain.users.get(user.id)
  expect(await idp.domain.passwords.verify('a new secret', passwordHash)).toBe(true)
})

test('an administrator neither switches off nor removes themselves', async () => {
  const page = await browser.open(`/console/users/${admin.id}`)
  expect(page.text).not.toContain('id="remove-user"')
  expect(page.text).not.toContain('id="move-deactivate"')
  const other = await browser.open(`/console/users/${(await newPerson('other')).id}`)
  // Sent all the same, by a form of another page.
  const csrf = hiddenIn(other, 'csrf')
  const refused = await browser.open(`/console/users/${admin.id}/state`, { csrf, move: 'deactivate' })
  expect(problemOf(refused)).toMatch(/another manager has to/)
  const removal = await browser.open(`/console/users/${admin.id}/remove`, { csrf, typed: admin.username })
  expect(problemOf(removal)).toMatch(/another manager has to/)
  expect((await idp.domain.users.get(admin.id)).state).toBe('active')
})
