/** Everything that a storage driver must do: one suite a noun, and what holds for all of them. */
import { describe, expect, test } from 'vitest'
import { StoreUnavailable } from '#src/base/errors.ts'
import { appsContract } from './apps.ts'
import { artifactsContract } from './artifacts.ts'
import { attemptsContract } from './attempts.ts'
import { auditContract } from './audit.ts'
import { catalogueContract } from './catalogue.ts'
import { atOnce, type Open, user } from './contract.ts'
import { identitiesContract } from './identities.ts'
import { keysContract } from './keys.ts'
import { metadataContract } from './metadata.ts'
import { tokensContract } from './tokens.ts'
import { trailContract } from './trail.ts'
import { userBrowseContract } from './userBrowse.ts'
import { userSearchContract } from './userSearch.ts'
import { usersContract } from './users.ts'

export function storeContract(open: Open): void {
  describe('users', () => usersContract(open))
  describe('apps', () => appsContract(open))
  describe('identities', () => identitiesContract(open))
  describe('search for users', () => userSearchContract(open))
  describe('lists of users', () => userBrowseContract(open))
  describe('metadata', () => metadataContract(open))
  describe('catalogue', () => catalogueContract(open))
  describe('keys', () => keysContract(open))
  describe('personal access tokens', () => tokensContract(open))
  describe('attempts', () => attemptsContract(open))
  describe('audit', () => auditContract(open))
  describe('the trail as a whole', () => trailContract(open))
  describe('artifacts', () => artifactsContract(open))

  test('a store that is opened twice is one store, and what was closed keeps it', async () => {
    await using first = await open()
    const jane = user('jane')
    await first.users.insert(jane, [], [])
    await using second = await first.again()
    expect(await second.users.find(jane.id)).toEqual(jane)
    await first.close()
    expect(await second.users.find(jane.id)).toEqual(jane)
  })

  test('several processes that start at once make one store', async () => {
    await using first = await open()
    const others = await Promise.all([first.again(), first.again(), first.again()])
    const jane = user('jane')
    await first.users.insert(jane, [], [])
    for (const stores of others) {
      expect(await stores.users.find(jane.id)).toEqual(jane)
      await stores.close()
    }
  })

  test('a store that works says so, and one that is closed refuses everything', async () => {
    await using stores = await open()
    await stores.ping()
    await Promise.all([stores.close(), stores.close()])
    await stores.close()
    const refused = [
      stores.ping(),
      stores.users.isEmpty(),
      stores.users.insert(user('late'), [], []),
      stores.artifacts.find('Session', 's'),
      stores.artifacts.put({ model: 'Session', id: 's', payload: {} }),
    ]
    for (const refusal of refused) await expect(refusal).rejects.toThrow(StoreUnavailable)
  })

  test('what was asked for before closing is written', async () => {
    await using stores = await open()
    const writes = atOnce(20, (number) => stores.users.insert(user(`user-${number}`), [], []))
    await stores.close()
    expect((await writes).filter(({ status }) => status === 'rejected')).toEqual([])
    await using again = await stores.again()
    expect((await again.users.list({ limit: 100 })).items).toHaveLength(20)
  })

  test('what people read about the store holds no password', async () => {
    await using stores = await open()
    expect(stores.description).toMatch(/^(SQLite in |MongoDB database )/)
  })
}
