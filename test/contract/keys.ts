import { expect, test } from 'vitest'
import type { StoredKey } from '#src/domain/keys/store.ts'
import { at, atOnce, later, type Open, recorder, system } from './contract.ts'

const key = (kid: string, more: Partial<StoredKey> = {}): StoredKey => ({
  kid,
  algorithm: 'ES256',
  sealed: `sealed ${kid}`,
  createdAt: at,
  activeFrom: later(600),
  ...more,
})

const told = (kid: string) => recorder.event('key.removed', system, { kind: 'key', id: kid }, {})

export function keysContract(open: Open): void {
  test('keys come back as written, oldest first, until they are taken away', async () => {
    await using stores = await open()
    expect(await stores.keys.list()).toEqual([])
    const keys = [key('z', { createdAt: later(-1), publishedUntil: later(9) }), key('a', { algorithm: 'EdDSA' }), key('b')]
    await stores.keys.commit({ put: [...keys].reverse(), remove: [], events: [] })
    expect(await stores.keys.list()).toStrictEqual(keys)
    await stores.keys.commit({ put: [key('a', { publishedUntil: later(5) })], remove: ['b', 'none'], events: [told('b')] })
    expect(await stores.keys.list()).toStrictEqual([keys[0], key('a', { publishedUntil: later(5) })])
    const { publishedUntil: _, ...revived } = keys[0] as StoredKey
    await stores.keys.commit({ put: [revived], remove: [], events: [] })
    expect(await stores.keys.list()).toStrictEqual([revived, key('a', { publishedUntil: later(5) })])
    expect(await stores.audit.list({ kind: 'key', id: 'b' }, { limit: 10 })).toHaveLength(1)
  })

  test('a commit that fails leaves everything as it was', async () => {
    await using stores = await open()
    await stores.keys.commit({ put: [key('a')], remove: [], events: [] })
    const before = stores.catalogue.revision()
    const event = told('a')
    await expect(stores.keys.commit({ put: [key('b')], remove: ['a'], events: [event, event] })).rejects.toThrow()
    expect(await stores.keys.list()).toEqual([key('a')])
    expect(stores.catalogue.revision()).toBe(before)
  })

  test('commits of several processes at once all happen', async () => {
    await using stores = await open()
    await using others = await stores.again()
    const outcomes = await atOnce(10, (n) =>
      (n % 2 ? stores : others).keys.commit({ put: [key(`${n}`)], remove: [], events: [told(`${n}`)] }),
    )
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([])
    expect(await stores.keys.list()).toHaveLength(10)
  })
}
