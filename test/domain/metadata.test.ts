import { expect, test } from 'vitest'
import { composeDomain } from '#src/composeDomain.ts'
import { createRecorder } from '#src/domain/audit/recorder.ts'
import { createMetadata, metadataLimits } from '#src/domain/metadata/metadata.ts'
import { openSqlite } from '#src/storage/sqlite/open.ts'
import { person } from '../support/idp.ts'
import { tempDir } from '../support/temp.ts'

const system = { kind: 'system' } as const
const value = (text: string) => Buffer.from(text)

async function open() {
  const stores = await openSqlite(tempDir())
  const recorder = createRecorder({ now: () => new Date() })
  const { users } = composeDomain({ stores, secrets: ['x'.repeat(32)] })
  const { id } = await users.create(person({ password: undefined, metadata: [] }), system)
  const metadata = createMetadata({ store: stores.metadata, recorder })
  const keys = async () => (await metadata.search(id, [], { offset: 0, limit: 2000, ascending: true })).entries.map(({ key }) => key)
  return { stores, users, metadata, id, keys, [Symbol.asyncDispose]: () => stores.close() }
}

test('a value of 500,000 bytes and a key of 200 characters are taken, one more of either is not', async () => {
  await using box = await open()
  const { metadata, id } = box
  await metadata.set(id, [{ key: '🙂'.repeat(200), value: Buffer.alloc(500_000, 7) }], system)
  for (const [key, bytes] of [
    ['k', 500_001],
    ['k', 0],
    ['🙂'.repeat(201), 1],
    ['', 1],
    ['\ud800', 1],
  ] as const) {
    await expect(metadata.set(id, [{ key, value: Buffer.alloc(bytes) }], system)).rejects.toMatchObject({ code: 'metadata.invalid' })
  }
  expect(await box.keys()).toEqual(['🙂'.repeat(200)])
})

test('a user may have 1,000 keys and 4 MiB, and a set that goes over leaves nothing behind', async () => {
  await using box = await open()
  const { metadata, id } = box
  await metadata.set(
    id,
    Array.from({ length: 999 }, (_, index) => ({ key: `k${index}`, value: value('x') })),
    system,
  )
  const two = [
    { key: 'a', value: value('x') },
    { key: 'b', value: value('x') },
  ]
  await expect(metadata.set(id, two, system)).rejects.toMatchObject({ code: 'metadata.limit_reached' })
  expect(await box.keys()).toHaveLength(999)
  await metadata.set(id, two.slice(0, 1), system)
  expect(await box.keys()).toHaveLength(metadataLimits.keys)

  await using other = await open()
  const large = Array.from({ length: 8 }, (_, index) => ({ key: `large-${index}`, value: Buffer.alloc(500_000) }))
  await other.metadata.set(other.id, large, system)
  await expect(other.metadata.set(other.id, [{ key: 'more', value: Buffer.alloc(400_000) }], system)).rejects.toMatchObject({
    code: 'metadata.limit_reached',
  })
  await other.metadata.set(
    other.id,
    [
      { key: 'large-0', value: Buffer.alloc(100_000) },
      { key: 'more', value: Buffer.alloc(400_000) },
    ],
    system,
  )
})

test('an identical value is no change; after a delete the same value is one', async () => {
  await using box = await open()
  const { metadata, id, stores } = box
  const first = await metadata.set(id, [{ key: 'a', value: value('1') }], system)
  const again = await metadata.set(id, [{ key: 'a', value: value('1') }], system)
  expect(again.sequence).toBe(first.sequence)
  await metadata.remove(id, ['a'], system)
  const back = await metadata.set(id, [{ key: 'a', value: value('1') }], system)
  expect(back.sequence).toBe(first.sequence + 2)
  const events = await stores.audit.list({ kind: 'user', id }, { limit: 10 })
  expect(events.map(({ type, sequence }) => `${sequence} ${type}`)).toEqual([
    '4 metadata.set',
    '3 metadata.removed',
    '2 metadata.set',
    '1 user.created',
  ])
})

test('a bulk change is one event a changed key, in order, and all or nothing', async () => {
  await using box = await open()
  const { metadata, id, stores } = box
  await metadata.set(
    id,
    ['a', 'b', 'c'].map((key) => ({ key, value: value(key) })),
    system,
  )
  await metadata.set(
    id,
    [
      { key: 'a', value: value('a') },
      { key: 'b', value: value('changed') },
    ],
    system,
  )
  await expect(metadata.remove(id, ['a', 'missing'], system)).rejects.toMatchObject({ code: 'metadata.not_found', keys: ['missing'] })
  await expect(metadata.remove(id, [], system)).rejects.toMatchObject({ code: 'metadata.list_empty' })
  await expect(metadata.set(id, [], system)).rejects.toMatchObject({ code: 'metadata.list_empty' })
  expect((await box.keys()).toSorted()).toEqual(['a', 'b', 'c'])
  const events = await stores.audit.list({ kind: 'user', id }, { limit: 10 })
  expect(events.map(({ sequence, payload }) => [sequence, (payload as { key?: string }).key])).toEqual([
    [5, 'b'],
    [4, 'c'],
    [3, 'b'],
    [2, 'a'],
    [1, undefined],
  ])
})

test('a change that expects an entry is made on that entry, or not at all, and what is there instead is told', async () => {
  await using box = await open()
  const { metadata, id, stores } = box
  const both = ['a', 'b'].map((key) => ({ key, value: value(key), expectedSequence: null }))
  const { sequence } = await metadata.set(id, both, system)
  const [a, b] = [await metadata.get(id, 'a'), await metadata.get(id, 'b')]

  await metadata.set(id, [{ key: 'a', value: value('mine'), expectedSequence: a.sequence }], system)
  await metadata.remove(id, [{ key: 'b', expectedSequence: b.sequence }], system)
  const before = await stores.audit.list({ kind: 'user', id }, { limit: 10 })

  const current = await metadata.get(id, 'a')
  const late = [
    { key: 'new', value: value('new') },
    { key: 'a', value: value('theirs'), expectedSequence: a.sequence },
    { key: 'b', value: value('theirs'), expectedSequence: b.sequence },
  ]
  const conflicts = [{ key: 'a', current }, { key: 'b' }]
  await expect(metadata.set(id, late, system)).rejects.toMatchObject({ code: 'metadata.conflict', conflicts })
  const error = await metadata.set(id, late, system).catch((thrown: Error) => thrown)
  expect(String(error)).not.toMatch(/mine|theirs/)
  for (const expectedSequence of [null, 0, sequence + 10]) {
    const set = metadata.set(id, [{ key: 'a', value: value('theirs'), expectedSequence }], system)
    await expect(set).rejects.toMatchObject({ code: 'metadata.conflict', conflicts: [{ key: 'a', current }] })
    const removal = metadata.remove(id, ['a', { key: 'a', expectedSequence }], system)
    await expect(removal).rejects.toMatchObject({ conflicts: [{ key: 'a', current }] })
  }
  await expect(metadata.remove(id, [{ key: 'b', expectedSequence: b.sequence }], system)).rejects.toMatchObject({
    conflicts: [{ key: 'b' }],
  })
  await expect(metadata.remove(id, [{ key: 'b' }], system)).rejects.toMatchObject({ code: 'metadata.not_found' })
  expect(await box.keys()).toEqual(['a'])
  expect(await stores.audit.list({ kind: 'user', id }, { limit: 10 })).toEqual(before)
})

test('to set what is there already is no conflict, so that a form may be sent twice', async () => {
  await using box = await open()
  const { metadata, id } = box
  const form = [{ key: 'a', value: value('1'), expectedSequence: null }]
  const first = await metadata.set(id, form, system)
  expect((await metadata.set(id, form, system)).sequence).toBe(first.sequence)
})

test('fifty writers of one user lose no update and no number', async () => {
  await using box = await open()
  const { metadata, id, users, stores } = box
  await Promise.all(Array.from({ length: 50 }, (_, index) => metadata.set(id, [{ key: `k${index}`, value: value(String(index)) }], system)))
  expect(await box.keys()).toHaveLength(50)
  expect((await users.get(id)).sequence).toBe(51)
  const events = await stores.audit.list({ kind: 'user', id }, { limit: 100 })
  expect(events.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 51 }, (_, index) => 51 - index))
})

test('metadata of an unknown user is an error that names it', async () => {
  await using box = await open()
  await expect(
    box.metadata.set('000000000000000000000000' as typeof box.id, [{ key: 'a', value: value('1') }], system),
  ).rejects.toMatchObject({
    code: 'user.not_found',
  })
})
