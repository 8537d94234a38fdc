/** Metadata of a user in the console: masked until somebody wants to see it, and never overwritten unseen. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { User } from '#src/domain/users/user.ts'
import type { Browser } from '../../support/browser.ts'
import { consoleBrowser, newManager } from '../../support/consolePeople.ts'
import { doneOf, faultOf, hiddenIn, problemOf } from '../../support/forms.ts'
import { type Idp, person, startIdp } from '../../support/idp.ts'

const system = { kind: 'system' } as const
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFUlEQVR4nGP4z8BAEiJN9aiGIa0BAJBz/wHSCJ5SAAAAAElFTkSuQmCC',
  'base64',
)

let idp: Idp
let admin: User
let browser: Browser
let jane: User
beforeAll(async () => {
  idp = await startIdp()
  admin = await newManager(idp, 'IAM_OWNER')
  browser = await consoleBrowser(idp, admin)
})
beforeEach(async () => {
  jane = await idp.domain.users.create({ ...person(), password: undefined, metadata: [] }, system)
})
afterAll(() => idp[Symbol.asyncDispose]())

const segment = (key: string) => Buffer.from(key).toString('base64url')
const base = () => `/console/users/${jane.id}/metadata`
const set = (key: string, value: string | Uint8Array) =>
  idp.domain.metadata.set(jane.id, [{ key, value: typeof value === 'string' ? Buffer.from(value) : value }], system)
const get = async (key: string) => Buffer.from((await idp.domain.metadata.get(jane.id, key)).value).toString()
const keys = async () => (await idp.domain.metadata.summaries(jane.id, { limit: 100 })).items.map(({ key }) => key)
const revealed = async () =>
  (await idp.domain.stores.audit.list({ kind: 'user', id: jane.id }, { limit: 100 }))
    .filter(({ type }) => type === 'metadata.revealed')
    .map(({ payload, actor }) => [(payload as { key: string }).key, actor])

/** Sends a form with a file, as a browser does. */
async function upload(
  path: string,
  fields: Readonly<Record<string, string>>,
  file?: { readonly name: string; readonly bytes: Uint8Array },
) {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  form.set('file', file ? new File([new Uint8Array(file.bytes)], file.name) : new File([], ''))
  const reply = await fetch(idp.url(path), {
    method: 'POST',
    body: form,
    redirect: 'manual',
    headers: { accept: 'text/html', cookie: browser.cookieHeader('/console') },
  })
  return { status: reply.status, text: await reply.text(), headers: reply.headers }
}

test('values are masked in the list, and to show them is recorded, key by key, with who it was', async () => {
  await set('color', 'ultramarine')
  await set('settings', '{"theme":"dark"}')
  const page = await browser.open(base())
  expect(page.text).toContain('color')
  expect(page.text).not.toContain('ultramarine')
  expect(page.text).toMatch(/Text<[\s\S]*11 bytes/)
  expect(page.text).toMatch(/JSON<[\s\S]*16 bytes/)
  expect(await revealed()).toEqual([])

  const shown = await browser.submit(page, '/metadata')
  expect(shown.text).toContain('ultramarine')
  const itself = { kind: 'user', id: admin.id }
  expect((await revealed()).toSorted()).toEqual([
    ['color', itself],
    ['settings', itself],
  ])
  const history = await browser.open(`/console/users/${jane.id}/history`)
  expect(history.text).toContain('Value of metadata color shown')
  expect(history.text).toContain('Metadata settings set (16 bytes)')
  expect(history.text).not.toContain('ultramarine')
})

test('one value is shown as text, as indented JSON and as base64; it is told who has written it', async () => {
  await idp.domain.metadata.set(jane.id, [{ key: 'a/b ?', value: Buffer.from('{"theme":"nocturnal"}') }], { kind: 'cli', name: 'root' })
  const list = await browser.open(base())
  const href = new RegExp(`href="(${base()}/[^"]+)">a/b`).exec(list.text)?.[1] ?? expect.unreachable()
  const page = await browser.open(href)
  expect(page.text).toContain('root, at the command line')
  expect(page.text).not.toContain('nocturnal')
  const shown = await browser.submit(page, '/reveal')
  expect(shown.text).toContain('{\n  &quot;theme&quot;: &quot;nocturnal&quot;\n}')
  expect(shown.text).toContain(Buffer.from('{"theme":"nocturnal"}').toString('base64'))
  expect(await revealed()).toHaveLength(1)
})

test('a value is added, replaced and removed; none of it says the value in the history', async () => {
  const page = await browser.open(`${base()}/new`)
  expect(doneOf(await browser.submit(page, '/new', { key: 'color', form: 'text', value: 'red\r\ngreen' }))).toBe('Saved.')
  expect(await get('color')).toBe('red\ngreen')
  const entry = await browser.open(`${base()}/${segment('color')}`)
  expect(doneOf(await browser.submit(entry, `/${segment('color')}`, { form: 'base64', value: 'AQID' }))).toBe('Saved.')
  expect(await get('color')).toBe('\x01\x02\x03')
  const again = await browser.open(`${base()}/${segment('color')}`)
  const remove = /href="([^"]*\/remove\/\d+)"/.exec(again.text)?.[1] ?? expect.unreachable()
  expect(doneOf(await browser.submit(await browser.open(remove), remove))).toBe('Removed.')
  expect(await keys()).toEqual([])
  expect((await browser.open(base())).text).toContain('There is no metadata of this user.')
})

test('what is wrong is said at its field, and what was typed stays', async () => {
  const page = await browser.open(`${base()}/new`)
  const json = await browser.submit(page, '/new', { key: 'k', form: 'json', value: '{"a": 1,\n "b": }' })
  expect(faultOf(json, 'value')).toBe('This is not JSON: line 2, column 7.')
  expect(json.text).toContain('{&quot;a&quot;: 1,')
  expect(faultOf(await browser.submit(page, '/new', { key: 'k', form: 'base64', value: '!' }), 'value')).toBe('This is not base64.')
  expect(faultOf(await browser.submit(page, '/new', { key: '', form: 'text', value: 'v' }), 'key')).toMatch(/1 to 200/)
  expect(faultOf(await browser.submit(page, '/new', { key: 'k', form: 'text', value: '' }), 'value')).toMatch(/500,000/)
  expect(await keys()).toEqual([])
})

test('a change that somebody else was faster with is shown beside theirs, and nothing is overwritten until one is chosen', async () => {
  await set('color', 'red')
  const mine = await browser.open(`${base()}/${segment('color')}`)
  await set('color', 'green')
  const conflict = await browser.submit(mine, `/${segment('color')}`, { form: 'text', value: 'blue' })
  expect(conflict.status).toBe(409)
  expect(conflict.text).toMatch(/What is there now[\s\S]*green[\s\S]*What you wanted to save[\s\S]*blue/)
  expect(await get('color')).toBe('green')
  // Theirs was shown.
  expect(await revealed()).toHaveLength(1)
  // And once more, by somebody even faster.
  await set('color', 'black')
  const second = await browser.submit(conflict, `/${segment('color')}`, { form: 'text', value: 'blue' })
  expect(second.status).toBe(409)
  expect(doneOf(await browser.submit(second, `/${segment('color')}`, { form: 'text', value: 'blue' }))).toBe('Saved.')
  expect(await get('color')).toBe('blue')
})

test('a key that somebody else has added or removed meanwhile is a conflict, too', async () => {
  const adding = await browser.open(`${base()}/new`)
  await set('color', 'red')
  const added = await browser.submit(adding, '/new', { key: 'color', form: 'text', value: 'blue' })
  expect(added.status).toBe(409)
  expect(await get('color')).toBe('red')

  const editing = await browser.open(`${base()}/${segment('color')}`)
  const removal = await browser.open(`${base()}/${segment('color')}/remove/${hiddenIn(editing, 'sequence')}`)
  await set('color', 'green')
  expect(problemOf(await browser.submit(removal, `/remove/${hiddenIn(editing, 'sequence')}`))).toMatch(/Somebody else has changed/)
  expect(await get('color')).toBe('green')
  await idp.domain.metadata.remove(jane.id, ['color'], system)
  const gone = await browser.submit(editing, `/${segment('color')}`, { form: 'text', value: 'blue' })
  expect(gone.status).toBe(409)
  expect(gone.text).toContain('It was removed.')
  expect(await keys()).toEqual([])
  expect(doneOf(await browser.submit(gone, `/${segment('color')}`, { form: 'text', value: 'blue' }))).toBe('Saved.')
})

test('bytes are sent as a file, and come back as a file that a browser runs nothing of', async () => {
  const bytes = Buffer.from('<script>alert(1)</script>\xff', 'latin1')
  const key = 'x"; filename=evil.html'
  const page = await browser.open(`${base()}/new`)
  const fields = { csrf: hiddenIn(page, 'csrf'), sequence: '', key, form: 'text', value: '' }
  expect((await upload(`${base()}/new`, fields, { name: 'x.html', bytes })).status).toBe(303)
  const csrf = hiddenIn(page, 'csrf')
  const reply = await fetch(idp.url(`${base()}/${segment(key)}/download`), {
    method: 'POST',
    body: new URLSearchParams({ csrf }),
    headers: { accept: 'text/html', cookie: browser.cookieHeader('/console') },
  })
  expect(Buffer.from(await reply.arrayBuffer())).toEqual(bytes)
  expect(
    Object.fromEntries(
      [
        'content-type',
        'content-disposition',
        'content-security-policy',
        'x-content-type-options',
        'cache-control',
        'cross-origin-resource-policy',
      ].map((name) => [name, reply.headers.get(name)]),
    ),
  ).toEqual({
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename="x_filename_evil.html"; filename*=UTF-8''x%22%3B%20filename%3Devil.html`,
    'content-security-policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'cross-origin-resource-policy': 'same-origin',
  })
  expect(await revealed()).toHaveLength(1)
})

test('an image is shown to whoever wanted to see it, and its address is good in no other browser', async () => {
  await set('photo', png)
  const page = await browser.open(`${base()}/${segment('photo')}`)
  expect(page.text).not.toContain('<img class="preview"')
  const shown = await browser.submit(page, '/reveal')
  const image = /<img class="preview" src="([^"]+)"/.exec(shown.text)?.[1]?.replaceAll('&amp;', '&') ?? expect.unreachable()
  const reply = await fetch(idp.url(image), { headers: { cookie: browser.cookieHeader('/console') } })
  expect(reply.headers.get('content-type')).toBe('image/png')
  expect(reply.headers.get('content-security-policy')).toContain('sandbox')
  expect(Buffer.from(await reply.arrayBuffer())).toEqual(png)
  const other = await consoleBrowser(idp, await newManager(idp, 'IAM_OWNER'))
  expect((await other.open(image)).status).toBe(404)
  expect((await browser.open(image.replace(/proof=.*/, 'proof=x'))).status).toBe(404)
  // The same address does not show what comes later.
  await set('photo', Buffer.concat([png, Buffer.from([0])]))
  expect((await browser.open(image)).status).toBe(404)
  // What may hold a script is no image.
  await set('drawing', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
  const drawing = await browser.submit(await browser.open(`${base()}/${segment('drawing')}`), '/reveal')
  expect(drawing.text).not.toContain('class="preview"')
})

test('many are pasted as lines or as JSON, all or none', async () => {
  const page = await browser.open(`${base()}/paste`)
  expect(doneOf(await browser.submit(page, '/paste', { text: 'a = 1\r\n# a comment\r\n\r\nb=x=y' }))).toBe('Saved.')
  expect([await get('a'), await get('b')]).toEqual(['1', 'x=y'])
  const json = '{"c": "text", "d": {"base64": "AQI="},\n "e": {"x": [1]}, "f": 12}'
  expect(doneOf(await browser.submit(page, '/paste', { text: json }))).toBe('Saved.')
  expect([await get('c'), await get('d'), await get('e'), await get('f')]).toEqual(['text', '\x01\x02', '{"x":[1]}', '12'])

  const linesOf = ({ text }: { text: string }) =>
    [...text.matchAll(/<strong>(Line \d+:)<\/strong> ([^<]*)</g)].map(([, line, what]) => `${line} ${what}`)
  const refused = await browser.submit(page, '/paste', { text: `g=1\nnonsense\n=x\ng=2\n${'k'.repeat(201)}=1\nh=` })
  expect(linesOf(refused)).toEqual([
    'Line 2: There is no equals sign.',
    'Line 3: There is no key before the equals sign.',
    'Line 4: The key was there before: g',
    expect.stringMatching(/^Line 5: A key has 1 to 200 characters/),
    expect.stringMatching(/^Line 6: .*: h$/),
  ])
  expect(refused.text).toContain('nonsense')
  expect(linesOf(await browser.submit(page, '/paste', { text: '{"g": 1,\n"g": 2,\n"h": null,\n"i": {"base64": "!"}}' }))).toEqual([
    'Line 2: The key was there before: g',
    'Line 3: There is nothing here.',
    'Line 4: The base64 is not right: i',
  ])
  expect(linesOf(await browser.submit(page, '/paste', { text: '{"g": 1,\n"h"}' }))).toEqual(['Line 2: This is not JSON from here on.'])
  expect(linesOf(await browser.submit(page, '/paste', { text: ' \n ' }))).toEqual(['Line 1: There is nothing here.'])
  expect(await keys()).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])

  // What is there is not overwritten unless that is wanted.
  const there = await browser.submit(page, '/paste', { text: 'new=1\na=2' })
  expect(linesOf(there)).toEqual(['Line 2: There is a value under this key already: a'])
  expect(await get('a')).toBe('1')
  expect(doneOf(await browser.submit(there, '/paste', { text: 'new=1\na=2', replaces: 'yes' }))).toBe('Saved.')
  expect([await get('a'), await get('new')]).toEqual(['2', '1'])
})

test('what is refused does not come back whole, and it is said that it does not', async () => {
  await set('settings', 'x')
  const long = 'x'.repeat(500_001)
  for (const [path, fields] of [
    ['/new', { key: 'k', value: long }],
    ['/new', { key: 'k'.repeat(300_000), value: 'x' }],
    [`/${segment('settings')}`, { value: long }],
    [`/${segment('settings')}`, { value: '"'.repeat(500_001) }],
    ['/paste', { text: 'no equals sign\n'.repeat(30_000) }],
  ] as const) {
    const page = await browser.submit(await browser.open(base() + path), path, { form: 'text', ...fields })
    expect(page.status, path).toBe(400)
    expect(Buffer.byteLength(page.text), path).toBeLessThan(60_000)
    expect(page.text).toContain('too long to be shown again')
  }
})

test('a value of 500,000 bytes and a page of long values weigh no more than 60 KB', async () => {
  await set('large', Buffer.alloc(500_000, '"'))
  for (let index = 0; index < 60; index += 1) await set(`key ${index} ${'k'.repeat(100)}`, 'x'.repeat(400))
  const list = await browser.open(base())
  const entry = await browser.open(`${base()}/${segment('large')}`)
  const pages = [list, await browser.submit(list, '/metadata'), entry, await browser.submit(entry, '/reveal')]
  for (const page of pages) expect(Buffer.byteLength(page.text)).toBeLessThan(60_000)
  expect(list.text).toContain('rel="next"')
  const next = /rel="next" href="([^"]*)"/.exec(list.text)?.[1] ?? expect.unreachable()
  expect((await browser.open(next)).text).toContain('large')
})

test('what an application receives has the values of metadata only once they were wanted', async () => {
  await set('color', 'ultramarine')
  const query = new URLSearchParams([
    ['client', idp.web.clientId],
    ['scope', 'email'],
    ['scope', 'urn:zitadel:iam:user:metadata'],
  ])
  const page = await browser.open(`/console/users/${jane.id}/preview?${query}`)
  expect(page.text).toContain('jane@acme.example')
  expect(page.text).toContain('&quot;color&quot;: &quot;•••&quot;')
  expect(page.text).not.toContain(Buffer.from('ultramarine').toString('base64url'))
  expect(await revealed()).toEqual([])
  const shown = await browser.submit(page, '/preview', {
    csrf: hiddenIn(page, 'csrf'),
    client: idp.web.clientId,
    scope: 'urn:zitadel:iam:user:metadata',
  })
  expect(shown.text).toContain(Buffer.from('ultramarine').toString('base64url'))
  expect(await revealed()).toHaveLength(1)
  expect(problemOf(await browser.open(`/console/users/${jane.id}/preview?client=nobody`))).toBe('There is no such application.')
})
