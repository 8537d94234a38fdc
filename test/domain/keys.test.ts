import { describe, expect, test } from 'vitest'
import { composeDomain } from '#src/composeDomain.ts'
import { createSealer } from '#src/domain/keys/seal.ts'
import { openStores } from '#src/storage/open.ts'
import { testStores } from '../support/stores.ts'

const system = { kind: 'system' } as const
const [oldSecret, newSecret] = ['the old secret, 32 bytes or more', 'the new secret, 32 bytes or more'] as const

test('what one secret sealed opens with a list that has it, in its own place only, and with no other', () => {
  const sealed = createSealer([oldSecret]).seal('a private key', 'kid-1')
  expect(sealed).not.toContain('private')
  expect(createSealer([newSecret, oldSecret]).open(sealed, 'kid-1')).toBe('a private key')
  expect(() => createSealer([newSecret]).open(sealed, 'kid-1')).toThrow('DOSSIER_SECRET is not the one that sealed')
  expect(() => createSealer([oldSecret]).open(sealed, 'kid-2')).toThrow('DOSSIER_SECRET')
  expect(() => createSealer([oldSecret]).open(`${sealed.slice(0, -2)}AA`, 'kid-1')).toThrow('DOSSIER_SECRET')
  const again = createSealer([newSecret, oldSecret]).seal('a private key', 'kid-1')
  expect(createSealer([newSecret]).open(again, 'kid-1')).toBe('a private key')
})

describe.each(testStores)('on $name', ({ make }) => {
  test('private keys stand in the store sealed, and a key of each algorithm is made once', async () => {
    const address = make()
    const stores = await openStores(
      address.startsWith('sqlite:') ? { kind: 'sqlite', directory: address.slice(7) } : { kind: 'mongodb', url: address },
    )
    const { keys } = composeDomain({ stores, secrets: [oldSecret] })
    await keys.ensure(['RS256', 'ES256', 'EdDSA', 'PS256'], system)
    await keys.ensure(['RS256', 'ES256'], system)
    const stored = await stores.keys.list()
    expect(stored.map(({ algorithm }) => algorithm).toSorted()).toEqual(['ES256', 'EdDSA', 'PS256', 'RS256'])
    const opened = (await keys.published()).map(keys.open)
    for (const jwk of opened) expect(JSON.stringify(stored)).not.toContain(jwk.d)
    await stores.close()
  })

  test('whoever has another secret adds no key, and servers go on', async () => {
    const address = make()
    const stores = await openStores(
      address.startsWith('sqlite:') ? { kind: 'sqlite', directory: address.slice(7) } : { kind: 'mongodb', url: address },
    )
    await composeDomain({ stores, secrets: [oldSecret] }).keys.ensure(['ES256'], system)
    const before = await stores.keys.list()
    const { keys } = composeDomain({ stores, secrets: [newSecret] })
    await expect(keys.rotate({ aheadSeconds: 0, longestTokenSeconds: 0 }, system)).rejects.toThrow('DOSSIER_SECRET')
    await expect(keys.ensure(['EdDSA'], system)).rejects.toThrow('DOSSIER_SECRET')
    expect(await stores.keys.list()).toEqual(before)
    await stores.close()
  })

  test('a key is rotated in three steps, and one that signs cannot be taken away', async () => {
    let time = Date.now()
    const address = make()
    const stores = await openStores(
      address.startsWith('sqlite:') ? { kind: 'sqlite', directory: address.slice(7) } : { kind: 'mongodb', url: address },
    )
    const { keys } = composeDomain({ stores, secrets: [oldSecret], now: () => new Date(time) })
    await keys.ensure(['ES256'], system)
    const phases = async () => Object.fromEntries((await keys.list()).map(({ kid, phase }) => [kid, phase]))
    const [first = ''] = Object.keys(await phases())
    const [successor] = await keys.rotate({ aheadSeconds: 600, longestTokenSeconds: 3600 }, system)
    const second = successor?.kid as string
    expect(await phases()).toEqual({ [first]: 'signing', [second]: 'published' })
    expect(await keys.retire(first, system)).toBe(false)
    time += 600_000
    expect(await phases()).toEqual({ [first]: 'retired', [second]: 'signing' })
    expect((await keys.published()).map(({ kid }) => kid)).toEqual([second, first])
    time += 3_600_000
    expect((await keys.published()).map(({ kid }) => kid)).toEqual([second])
    expect(await keys.retire(second, system)).toBe(false)
    expect(await keys.retire(first, system)).toBe(true)
    expect(await phases()).toEqual({ [second]: 'signing' })
    await stores.close()
  })

  test('while a successor waits there is no other, however many ask at once; it can be told to sign now', async () => {
    const address = make()
    const stores = await openStores(
      address.startsWith('sqlite:') ? { kind: 'sqlite', directory: address.slice(7) } : { kind: 'mongodb', url: address },
    )
    const { keys } = composeDomain({ stores, secrets: [oldSecret] })
    await keys.ensure(['ES256', 'EdDSA'], system)
    const [first] = await keys.list().then((all) => all.filter(({ algorithm }) => algorithm === 'ES256'))
    const rotate = (aheadSeconds: number) => keys.rotate({ algorithm: 'ES256', aheadSeconds, longestTokenSeconds: 3600 }, system)
    const outcomes = await Promise.allSettled([rotate(600), rotate(600), rotate(600)])
    expect(outcomes.map((each) => (each.status === 'fulfilled' ? 'made' : each.reason.code)).toSorted()).toEqual([
      'keys.successor_waits',
      'keys.successor_waits',
      'made',
    ])
    await expect(keys.rotate({ longestTokenSeconds: 3600 }, system)).rejects.toMatchObject({ algorithms: 'ES256' })
    const [waiting] = (await keys.list()).filter(({ phase }) => phase === 'published')
    expect((await rotate(0)).map(({ kid }) => kid)).toEqual([waiting?.kid])
    const phases = (await keys.list()).filter(({ algorithm }) => algorithm === 'ES256').map(({ kid, phase }) => [kid, phase])
    expect(Object.fromEntries(phases)).toEqual({ [first?.kid ?? '']: 'retired', [waiting?.kid ?? '']: 'signing' })
    await rotate(600)
    await stores.close()
  })
})
