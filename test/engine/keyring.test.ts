import { decodeProtectedHeader } from 'jose'
import { describe, expect, test } from 'vitest'
import { createKeyring } from '#src/engine/keyring.ts'
import { startIdp } from '../support/idp.ts'
import { testStores } from '../support/stores.ts'

const system = { kind: 'system' } as const

describe.each(testStores)('on $name', ({ make }) => {
  test('keys stay opened when only an application changes, and one that is rotated keeps its place until its successor signs', async () => {
    let time = Date.now()
    const now = () => new Date(time)
    await using idp = await startIdp({ store: make(), now })
    const { catalogue, keys } = idp.domain
    const keyring = createKeyring({ keys, now })
    const refresh = () => keyring.refresh(catalogue.revision())
    const signer = async () => decodeProtectedHeader(await keyring.sign('ES256', '{}')).kid

    const first = (await refresh()) ?? []
    expect(first.map(({ alg }) => alg).toSorted()).toEqual(['ES256', 'RS256'])
    const [before] = first.filter(({ alg }) => alg === 'ES256')

    await catalogue.commit({ putApplications: [{ ...idp.web, name: 'another name' }], events: [] })
    await expect.poll(() => keyring.isCurrent(catalogue.revision())).toBe(false)
    const revision = catalogue.revision()
    expect(await keyring.refresh(revision)).toBeUndefined()
    expect(keyring.isCurrent(revision)).toBe(true)

    const [successor] = await keys.rotate({ algorithm: 'ES256', longestTokenSeconds: 3600 }, system)
    await expect.poll(() => keyring.isCurrent(catalogue.revision())).toBe(false)
    const rotated = (await refresh()) ?? []
    expect(rotated).toHaveLength(3)
    for (const jwk of first) expect(rotated.find(({ kid }) => kid === jwk.kid)).toBe(jwk)
    expect(await signer()).toBe(before?.kid)

    time += 601_000
    expect(keyring.isCurrent(catalogue.revision())).toBe(false)
    expect((await refresh())?.find(({ alg }) => alg === 'ES256')?.kid).toBe(successor?.kid)
    expect(await signer()).toBe(successor?.kid)

    time += 3_600_000
    expect(keyring.isCurrent(catalogue.revision())).toBe(false)
    expect((await refresh())?.map(({ kid }) => kid)).not.toContain(before?.kid)
  })
})
