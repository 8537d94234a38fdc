import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { CannotStart, StoreUnavailable } from '#src/base/errors.ts'
import { newObjectId } from '#src/base/ids.ts'
import type { MetadataEntry } from '#src/domain/metadata/metadata.ts'
import type { Stores } from '#src/domain/stores.ts'
import { UserIdTaken, UsernameTaken } from '#src/domain/users/user.ts'
import { openSqlite } from '#src/storage/sqlite/open.ts'
import { user } from '../contract/contract.ts'
import { tempDir } from '../support/temp.ts'

const at = new Date('2026-03-01T10:00:00.123Z')

const entry = (key: string, value: Uint8Array, sequence: number): MetadataEntry => ({ key, value, sequence, createdAt: at, changedAt: at })

async function open(directory = tempDir()): Promise<Stores & AsyncDisposable & { directory: string }> {
  const stores = await openSqlite(directory)
  return { ...stores, directory, [Symbol.asyncDispose]: () => stores.close() }
}

/** A connection of another program to one of the files. */
function stranger(directory: string, file = 'dossier.db'): DatabaseSync & Disposable {
  return new DatabaseSync(join(directory, file)) as DatabaseSync & Disposable
}

const bytesIn = (directory: string) =>
  Object.fromEntries(readdirSync(directory).map((file) => [file, readFileSync(join(directory, file)).toString('base64')]))

describe('starting', () => {
  test('the directory and its files are made for their owner only', async () => {
    const directory = join(tempDir(), 'some', 'data')
    await using stores = await open(directory)
    expect(stores.description).toBe(`SQLite in ${directory}`)
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    const modes = readdirSync(directory).map((file) => statSync(join(directory, file)).mode & 0o777)
    expect(new Set(modes)).toEqual(new Set([0o600]))
  })

  test('a second start finds what the first one wrote', async () => {
    const directory = tempDir()
    const jane = user('jane')
    {
      await using stores = await open(directory)
      await stores.users.insert(jane, [entry('k', Buffer.from('v'), 1)], [])
    }
    expect(readdirSync(directory).sort()).toEqual(['dossier.db', 'sessions.db'])
    await using stores = await open(directory)
    expect(await stores.users.find(jane.id)).toEqual(jane)
  })

  test('five starts at once in an empty directory make one store', async () => {
    const directory = tempDir()
    const all = await Promise.all(Array.from({ length: 5 }, () => openSqlite(directory)))
    const jane = user('jane')
    await all[0]?.users.insert(jane, [], [])
    for (const stores of all) expect(await stores.users.find(jane.id)).toEqual(jane)
    await Promise.all(all.map((stores) => stores.close()))
  })

  test('a store of a newer version is refused, and neither file is touched', async () => {
    const directory = tempDir()
    await (await open(directory)).close()
    for (const file of ['dossier.db', 'sessions.db']) {
      const newer = join(tempDir(), 'data')
      mkdirSync(newer)
      for (const name of readdirSync(directory)) writeFileSync(join(newer, name), readFileSync(join(directory, name)))
      {
        using database = stranger(newer, file)
        database.exec('PRAGMA user_version = 999')
      }
      const before = bytesIn(newer)
      await expect(openSqlite(newer)).rejects.toThrow(CannotStart)
      await expect(openSqlite(newer)).rejects.toThrow(/newer version of Dossier .* start that version or a later one/)
      expect(bytesIn(newer)).toEqual(before)
    }
  })

  test('a newer sessions file keeps an empty dossier file empty', async () => {
    const directory = tempDir()
    await (await open(directory)).close()
    writeFileSync(join(directory, 'dossier.db'), '')
    {
      using database = stranger(directory, 'sessions.db')
      database.exec('PRAGMA user_version = 999')
    }
    await expect(openSqlite(directory)).rejects.toThrow(CannotStart)
    expect(statSync(join(directory, 'dossier.db')).size).toBe(0)
  })

  test('a SQLite file of another program is refused and left alone', async () => {
    const directory = tempDir()
    {
      using database = stranger(directory)
      database.exec('CREATE TABLE theirs (a)')
    }
    const before = bytesIn(directory)['dossier.db']
    await expect(openSqlite(directory)).rejects.toThrow(/belongs to another program: name another directory/)
    expect(bytesIn(directory)['dossier.db']).toBe(before)
  })

  test('a file that is no database is refused with what to do', async () => {
    const directory = tempDir()
    writeFileSync(join(directory, 'dossier.db'), 'hello, I am a text file and not a database at all. '.repeat(100))
    const refusal = openSqlite(directory)
    await expect(refusal).rejects.toThrow(CannotStart)
    await expect(refusal).rejects.toThrow(/dossier\.db because its file is not a SQLite database: move it away/)
  })

  test('a directory below a file is refused with what to do', async () => {
    const file = join(tempDir(), 'file')
    writeFileSync(file, '')
    for (const path of [file, join(file, 'data')]) {
      const refusal = openSqlite(path)
      await expect(refusal).rejects.toThrow(CannotStart)
      await expect(refusal).rejects.toThrow(/cannot keep data in .*: .*name another directory in DOSSIER_STORE/)
    }
  })

  test('a directory in place of a file is refused with what to do', async () => {
    const directory = tempDir()
    mkdirSync(join(directory, 'sessions.db'))
    await expect(openSqlite(directory)).rejects.toThrow(/a directory stands where a file should be/)
  })

  test('a file that another program holds exclusively is refused with what to do', async () => {
    const directory = tempDir()
    using database = stranger(directory)
    database.exec('PRAGMA journal_mode = DELETE; CREATE TABLE theirs (a); BEGIN EXCLUSIVE')
    const refusal = openSqlite(directory)
    await expect(refusal).rejects.toThrow(CannotStart)
    await expect(refusal).rejects.toThrow(/dossier\.db because its file is locked by another program: stop the program that uses it/)
  })
})

describe('several connections', () => {
  test('a commit moves the revision for every process', async () => {
    await using one = await open()
    await using two = await open(one.directory)
    const before = two.catalogue.revision()
    await one.catalogue.commit({ ownProjectId: '1', events: [] })
    const after = two.catalogue.revision()
    expect(after).not.toBe(before)
    await one.keys.commit({ put: [], remove: [], events: [] })
    expect(two.catalogue.revision()).not.toBe(after)
    expect(two.catalogue.revision()).toBe(one.catalogue.revision())
  })

  test('an artifact is consumed by one process of two', async () => {
    await using one = await open()
    await using two = await open(one.directory)
    await one.artifacts.put({ model: 'AuthorizationCode', id: 'c', payload: {} })
    const outcomes = await Promise.all([one, two, one, two].map((stores) => stores.artifacts.consume('AuthorizationCode', 'c', at)))
    expect(outcomes.filter(Boolean)).toHaveLength(1)
  })

  test('while another program writes, reads are answered, and the write follows when it is done', async () => {
    await using stores = await open()
    const jane = user('jane')
    await stores.users.insert(jane, [], [])
    using database = stranger(stores.directory)
    database.exec('BEGIN IMMEDIATE')
    let written = false
    const write = stores.users.insert(user('john'), [], []).then(() => {
      written = true
    })
    for (let turn = 0; turn < 20; turn += 1) {
      expect(await stores.users.find(jane.id)).toEqual(jane)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    expect(written).toBe(false)
    database.exec('COMMIT')
    await write
    expect(await stores.users.findByUsername('john')).toBeDefined()
  })

  test('a lock that does not go away is told as such, and the store works again after it', async () => {
    await using stores = await open()
    using database = stranger(stores.directory)
    database.exec('BEGIN IMMEDIATE')
    const refusals = [stores.users.insert(user('jane'), [], []), stores.audit.record([])]
    for (const refusal of refusals) await expect(refusal).rejects.toThrow(/not available: its file is locked by another program/)
    database.exec('ROLLBACK')
    await stores.ping()
    await stores.users.insert(user('jane'), [], [])
  })
})

describe('group commit', () => {
  test('a write that fails takes none of its companions with it', async () => {
    await using stores = await open()
    const jane = user('Jane')
    const outcomes = await Promise.allSettled([
      stores.users.insert(jane, [], []),
      stores.users.insert(user('JANE'), [entry('k', Buffer.from('v'), 1)], []),
      stores.users.insert({ ...user('someone'), id: jane.id }, [], []),
      stores.users.update(jane.id, () => {
        throw new TypeError('changed my mind')
      }),
      stores.users.update(jane.id, (current) => ({ user: { ...current, sequence: 2 }, events: [] })),
      stores.users.insert(user('john'), [], []),
    ])
    expect(outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.constructor : 'written'))).toEqual([
      'written',
      UsernameTaken,
      UserIdTaken,
      TypeError,
      'written',
      'written',
    ])
    expect((await stores.users.list({ limit: 10 })).items.map(({ username, sequence }) => [username, sequence])).toEqual([
      ['Jane', 2],
      ['john', 1],
    ])
  })

  test('writes of one turn see each other in the order in which they were asked for', async () => {
    await using stores = await open()
    const jane = user('jane')
    await stores.users.insert(jane, [], [])
    const next = () => stores.users.update(jane.id, (current) => ({ user: { ...current, sequence: current.sequence + 1 }, events: [] }))
    const answers = await Promise.all(Array.from({ length: 600 }, next))
    expect(answers.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 600 }, (_, index) => index + 2))
  })

  test('what was asked for before closing is written, and what is asked for after is refused', async () => {
    const stores = await open()
    const writes = [1, 2, 3].map((number) => stores.users.insert(user(`user-${number}`), [], []))
    await Promise.all([stores.close(), stores.close()])
    await Promise.all(writes)
    await expect(stores.users.isEmpty()).rejects.toThrow(StoreUnavailable)
    await expect(stores.users.insert(user('late'), [], [])).rejects.toThrow(StoreUnavailable)
    await expect(stores.ping()).rejects.toThrow(StoreUnavailable)
    await using again = await open(stores.directory)
    expect((await again.users.list({ limit: 10 })).items).toHaveLength(3)
  })
})

describe('records', () => {
  test('a removed user leaves no metadata and no token, and the id with its history is not given away again', async () => {
    await using stores = await open()
    const jane = user('jane')
    const created = {
      id: newObjectId(),
      type: 'user.created',
      at,
      actor: { kind: 'system' },
      subject: { kind: 'user', id: jane.id },
    } as const
    const events = [{ ...created, sequence: 1, payload: { username: 'jane', kind: 'human' } } as const]
    await stores.users.insert(jane, [entry('k', Buffer.alloc(400_000, 1), 1)], events)
    await stores.tokens.insert({ id: 't', userId: jane.id, name: 'ci', hash: 'h', createdAt: at }, [])
    await stores.users.remove(jane.id, () => [])
    expect(await stores.tokens.findByHash('h')).toBeUndefined()
    expect(await stores.audit.list({ kind: 'user', id: jane.id }, { limit: 10 })).toEqual(events)
    using database = stranger(stores.directory)
    expect(database.prepare('SELECT count(*) AS count FROM metadata').get()).toMatchObject({ count: 0 })
    const again = { ...events[0], id: newObjectId() } as (typeof events)[0]
    await expect(stores.users.insert(jane, [], [again])).rejects.toThrow(UserIdTaken)
    expect(await stores.users.find(jane.id)).toBeUndefined()
  })

  test('the counts of keys and bytes stand up to every kind of change', async () => {
    await using stores = await open()
    const jane = user('jane')
    await stores.users.insert(jane, [entry('a', Buffer.alloc(10), 1), entry('b', Buffer.alloc(20), 1)], [])
    const states: unknown[] = []
    const change = (put: MetadataEntry[], remove: string[]) =>
      stores.metadata.change(jane.id, [...put.map(({ key }) => key), ...remove], ({ keys, bytes }) => {
        states.push([keys, bytes])
        return { put, remove, events: [], sequence: 2, at }
      })
    await change([entry('a', Buffer.alloc(5), 2), entry('c', Buffer.alloc(1), 2)], [])
    await change([], ['b', 'nowhere'])
    await change([], [])
    await stores.users.update(jane.id, (current) => ({ user: { ...current, username: 'janet' }, events: [] }))
    await change([], [])
    expect(states).toEqual([
      [2, 30],
      [3, 26],
      [2, 6],
      [2, 6],
    ])
  })
})

test('a store whose files are damaged while it runs says so', async () => {
  await using stores = await open()
  for (let round = 0; round < 40; round += 1) {
    await Promise.all(Array.from({ length: 50 }, (_, n) => stores.users.insert(user(`user-${round}-${n}`), [], [])))
  }
  await stores.close()
  const path = join(stores.directory, 'dossier.db')
  const file = openSync(path, 'r+')
  // Behind the pages of the schema, without which it would not open.
  const sound = 64 * 4096
  writeSync(file, Buffer.alloc(statSync(path).size - sound, 0xff), 0, undefined, sound)
  closeSync(file)
  await using damaged = await open(stores.directory)
  await expect(damaged.users.list({ limit: 1000 })).rejects.toThrow(/not available: its file is damaged/)
  expect(existsSync(path)).toBe(true)
})
