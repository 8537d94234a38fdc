import { describe, expect, test } from 'vitest'
import type { Artifact } from '#src/domain/sessions/store.ts'
import type { Stores } from '#src/domain/stores.ts'
import { at, atOnce, later, type Open, oddKeys, upTo } from './contract.ts'

const soon = () => new Date(Date.now() + 3_600_000)

const code = (id: string, more: Partial<Artifact> = {}): Artifact => ({
  model: 'AuthorizationCode',
  id,
  payload: { jti: id },
  expiresAt: soon(),
  ...more,
})

/** What JSON can say, with names that mean something to JavaScript or to a database, at every depth. */
const oddPayload = JSON.parse(
  `{"__proto__":{"a.b":1},"$set":{"$inc":[{"constructor":null}]},"a.b":"c","":"","0":[],"n":{"x":1.5,"y":-0.001,"z":9007199254740991},
    "text":"\\u0000\\ud83d\\ude00\\u2028","date":"2026-03-01T10:00:00.123Z","deep":{"__proto__":[[{"$ref":"x"}]]},"t":true,"f":false}`,
)

/** A clock that a test moves. Rows that it lets expire are in the far future for the server that would delete them. */
function movingClock() {
  let time = Date.now() + 86_400_000
  return {
    now: () => new Date(time),
    in: (seconds: number) => new Date(time + seconds * 1000),
    pass: (seconds: number) => {
      time += seconds * 1000
    },
  }
}

export function artifactsContract(open: Open): void {
  test('an artifact comes back as it was put, by id and model', async () => {
    await using stores = await open()
    const { artifacts } = stores
    await artifacts.put(code('a', { payload: oddPayload }))
    const found = await artifacts.find('AuthorizationCode', 'a')
    expect(found).toStrictEqual({ payload: oddPayload })
    expect(JSON.stringify(found?.payload)).toBe(JSON.stringify(oddPayload))
    for (const id of ['A', 'b', '', 'a ']) expect(await artifacts.find('AuthorizationCode', id)).toBeUndefined()
    expect(await artifacts.find('AccessToken', 'a')).toBeUndefined()
    for (const id of oddKeys) await artifacts.put({ model: 'ReplayDetection', id, payload: { id } })
    for (const id of oddKeys) expect(await artifacts.find('ReplayDetection', id)).toEqual({ payload: { id } })
  })

  test('what belongs to a user is listed by its kind, without what was issued under a grant and without what is over', async () => {
    const clock = movingClock()
    await using stores = await open({ now: clock.now })
    const { artifacts } = stores
    const session = (id: string, more: Partial<Artifact> = {}): Artifact => ({
      model: 'Session',
      id,
      payload: { jti: id },
      expiresAt: clock.in(600),
      accountId: 'jane',
      ...more,
    })
    await artifacts.put(session('first'))
    await artifacts.put(session('short', { expiresAt: clock.in(1) }))
    await artifacts.put(session('second'))
    await artifacts.put(session('other', { accountId: 'john' }))
    await artifacts.put(session('grant', { model: 'Grant' }))
    clock.pass(120)
    expect((await artifacts.listByAccount('Session', 'jane')).map(({ payload }) => payload.jti)).toEqual(['first', 'second'])
    expect(await artifacts.listByAccount('Session', 'nobody')).toEqual([])
  })

  test('a second put replaces the first, and what it no longer has', async () => {
    await using stores = await open()
    const { artifacts } = stores
    await artifacts.put({ ...code('a'), model: 'Session', uid: 'u', userCode: 'c', grantId: 'g', accountId: 'jane' })
    await artifacts.put({ model: 'Session', id: 'a', payload: { second: true } })
    expect(await artifacts.find('Session', 'a')).toEqual({ payload: { second: true } })
    expect(await artifacts.findByUid('Session', 'u')).toBeUndefined()
    expect(await artifacts.findByUserCode('Session', 'c')).toBeUndefined()
    await artifacts.removeByGrant('Session', 'g')
    await artifacts.removeByAccount('jane')
    expect(await artifacts.find('Session', 'a')).toBeDefined()
  })

  test('the newest artifact of a uid or a user code is found, and none of another model', async () => {
    await using stores = await open()
    const { artifacts } = stores
    await artifacts.put({ model: 'Session', id: 'old', uid: 'u', payload: { n: 1 } })
    await artifacts.put({ model: 'Session', id: 'new', uid: 'u', payload: { n: 2 } })
    await artifacts.put({ model: 'Session', id: 'old', uid: 'u', payload: { n: 3 } })
    await artifacts.put({ model: 'AccessToken', id: 't', uid: 'u', payload: { n: 4 } })
    expect(await artifacts.findByUid('Session', 'u')).toEqual({ payload: { n: 2 } })
    await artifacts.remove('Session', 'new')
    expect(await artifacts.findByUid('Session', 'u')).toEqual({ payload: { n: 3 } })
    expect(await artifacts.findByUid('Session', 'none')).toBeUndefined()
    await artifacts.put({ model: 'DeviceCode', id: 'd', userCode: 'ABCD', payload: { n: 5 } })
    expect(await artifacts.findByUserCode('DeviceCode', 'ABCD')).toEqual({ payload: { n: 5 } })
    expect(await artifacts.findByUserCode('DeviceCode', 'abcd')).toBeUndefined()
    expect(await artifacts.findByUserCode('Session', 'ABCD')).toBeUndefined()
  })

  test('a token is found with its grant and its session, each where there is one', async () => {
    await using stores = await open()
    const { artifacts } = stores
    await artifacts.put({ model: 'Grant', id: 'g', payload: { grant: 1 } })
    await artifacts.put({ model: 'Grant', id: '', payload: { grant: 'of nobody' } })
    await artifacts.put({ model: 'Session', id: 's', uid: 'u', payload: { session: 1 } })
    await artifacts.put({ model: 'Session', id: 's2', uid: 'u', payload: { session: 2 } })
    await artifacts.put({ model: 'Session', id: 'of nobody', payload: { session: 3 } })
    const token = (id: string, more: Partial<Artifact>) =>
      artifacts.put({ model: 'AccessToken', id, payload: { id }, expiresAt: soon(), ...more })
    await token('both', { grantId: 'g', uid: 'u' })
    await token('grant', { grantId: 'g' })
    await token('session', { uid: 'u' })
    await token('gone', { grantId: 'none', uid: 'none' })
    await token('none', {})
    const grant = { payload: { grant: 1 } }
    const session = { payload: { session: 2 } }
    const found = (id: string) => artifacts.findToken('AccessToken', id)
    expect(await found('both')).toStrictEqual({ token: { payload: { id: 'both' } }, grant, session })
    expect(await found('grant')).toStrictEqual({ token: { payload: { id: 'grant' } }, grant })
    expect(await found('session')).toStrictEqual({ token: { payload: { id: 'session' } }, session })
    expect(await found('gone')).toStrictEqual({ token: { payload: { id: 'gone' } } })
    expect(await found('none')).toStrictEqual({ token: { payload: { id: 'none' } } })
    expect(await found('unknown')).toBeUndefined()
    expect(await artifacts.findToken('RefreshToken', 'both')).toBeUndefined()
    await artifacts.consume('AccessToken', 'both', at)
    expect((await found('both'))?.token).toEqual({ payload: { id: 'both' }, consumedAt: at })
  })

  describe('expiry', () => {
    test('what has expired is answered for a minute, and no longer', async () => {
      const clock = movingClock()
      await using stores = await open({ now: clock.now })
      const { artifacts } = stores
      const expiring = { model: 'Session', payload: { n: 1 }, expiresAt: clock.in(10) }
      await artifacts.put({ ...expiring, id: 's', uid: 'u', userCode: 'c' })
      await artifacts.put({ model: 'Session', id: 'eternal', payload: { n: 2 } })
      const answers = async () => [
        await artifacts.find('Session', 's'),
        await artifacts.findByUid('Session', 'u'),
        await artifacts.findByUserCode('Session', 'c'),
        (await artifacts.findToken('Session', 's'))?.token,
      ]
      const found = { payload: { n: 1 } }
      clock.pass(69)
      expect(await answers()).toEqual([found, found, found, found])
      clock.pass(2)
      expect(await answers()).toEqual([undefined, undefined, undefined, undefined])
      expect(await artifacts.consume('Session', 's', clock.now())).toBe(false)
      clock.pass(1_000_000)
      expect(await artifacts.find('Session', 'eternal')).toEqual({ payload: { n: 2 } })
      await artifacts.put({ ...expiring, id: 's', expiresAt: clock.in(10) })
      expect(await artifacts.find('Session', 's')).toEqual(found)
    })

    test('an older session of the same uid is found when the newer one has expired', async () => {
      const clock = movingClock()
      await using stores = await open({ now: clock.now })
      await stores.artifacts.put({ model: 'Session', id: 'old', uid: 'u', payload: { n: 1 }, expiresAt: clock.in(1000) })
      await stores.artifacts.put({ model: 'Session', id: 'new', uid: 'u', payload: { n: 2 }, expiresAt: clock.in(10) })
      clock.pass(100)
      expect(await stores.artifacts.findByUid('Session', 'u')).toEqual({ payload: { n: 1 } })
    })

    test('an expired artifact does not stand in the way of a new one', async () => {
      const clock = movingClock()
      await using stores = await open({ now: clock.now })
      const { artifacts } = stores
      const proof = (n: number) => ({ model: 'ReplayDetection', id: 'p', payload: { n }, expiresAt: clock.in(10) })
      expect(await artifacts.insert(proof(1))).toBe(true)
      expect(await artifacts.consume('ReplayDetection', 'p', clock.now())).toBe(true)
      clock.pass(9)
      expect(await artifacts.insert(proof(2))).toBe(false)
      clock.pass(1)
      const outcomes = await atOnce(10, () => artifacts.insert(proof(3)))
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value)).toHaveLength(1)
      expect(await artifacts.find('ReplayDetection', 'p')).toEqual({ payload: { n: 3 } })
    })
  })

  describe('once only', () => {
    test('of fifty who consume a code at once, in two processes, one gets it', async () => {
      await using stores = await open()
      await using others = await stores.again()
      await stores.artifacts.put(code('a'))
      const outcomes = await atOnce(50, (number) =>
        (number % 2 ? stores : others).artifacts.consume('AuthorizationCode', 'a', later(number)),
      )
      const winners = outcomes.flatMap((outcome, number) => (outcome.status === 'fulfilled' && outcome.value ? [number] : []))
      expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([])
      expect(winners).toHaveLength(1)
      expect(await stores.artifacts.find('AuthorizationCode', 'a')).toEqual({ payload: { jti: 'a' }, consumedAt: later(winners[0] ?? -1) })
      expect(await others.artifacts.consume('AuthorizationCode', 'a', at)).toBe(false)
      expect(await others.artifacts.consume('AuthorizationCode', 'unknown', at)).toBe(false)
      expect(await others.artifacts.consume('RefreshToken', 'a', at)).toBe(false)
    })

    test('of fifty who exchange a code at once, in two processes, one gets it, and what is given for it is stored once', async () => {
      await using stores = await open()
      await using others = await stores.again()
      await stores.artifacts.put(code('a'))
      const given = (number: number): Artifact[] => [
        { model: 'AccessToken', id: `at-${number}`, payload: { number }, grantId: 'g', expiresAt: soon() },
        { model: 'RefreshToken', id: `rt-${number}`, payload: { number }, grantId: 'g', expiresAt: soon() },
      ]
      const outcomes = await atOnce(50, (number) =>
        (number % 2 ? stores : others).artifacts.exchange('AuthorizationCode', 'a', given(number), later(number)),
      )
      const winners = outcomes.flatMap((outcome, number) => (outcome.status === 'fulfilled' && outcome.value ? [number] : []))
      expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([])
      expect(winners).toHaveLength(1)
      const [winner = -1] = winners
      expect((await others.artifacts.find('AuthorizationCode', 'a'))?.consumedAt).toEqual(later(winner))
      for (let number = 0; number < 50; number += 1) {
        const found = [
          await stores.artifacts.find('AccessToken', `at-${number}`),
          await others.artifacts.find('RefreshToken', `rt-${number}`),
        ]
        expect(found).toEqual(number === winner ? [{ payload: { number } }, { payload: { number } }] : [undefined, undefined])
      }
      expect(await others.artifacts.exchange('AuthorizationCode', 'unknown', given(50), at)).toBe(false)
      expect(await others.artifacts.find('AccessToken', 'at-50')).toBeUndefined()
      await stores.artifacts.removeByGrant('AccessToken', 'g')
      expect(await stores.artifacts.find('AccessToken', `at-${winner}`)).toBeUndefined()
    })

    test('what was used stays used when it is written again', async () => {
      await using stores = await open()
      await stores.artifacts.put(code('a'))
      await stores.artifacts.consume('AuthorizationCode', 'a', at)
      await stores.artifacts.put(code('a', { payload: { late: true } }))
      expect(await stores.artifacts.find('AuthorizationCode', 'a')).toEqual({ payload: { late: true }, consumedAt: at })
      expect(await stores.artifacts.consume('AuthorizationCode', 'a', at)).toBe(false)
    })

    test('of fifty proofs with one id at once, in two processes, one is accepted', async () => {
      await using stores = await open()
      await using others = await stores.again()
      const outcomes = await atOnce(50, (number) => (number % 2 ? stores : others).artifacts.insert(code('p', { payload: { number } })))
      const winners = outcomes.flatMap((outcome, number) => (outcome.status === 'fulfilled' && outcome.value ? [number] : []))
      expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([])
      expect(winners).toHaveLength(1)
      expect(await stores.artifacts.find('AuthorizationCode', 'p')).toEqual({ payload: { number: winners[0] } })
      expect(await stores.artifacts.insert(code('another'))).toBe(true)
      expect(await stores.artifacts.insert({ ...code('p'), model: 'ReplayDetection' })).toBe(true)
    })

    test('one artifact that many write at once for the first time is there once, whole', async () => {
      await using stores = await open()
      const outcomes = await atOnce(20, (number) => stores.artifacts.put(code('a', { payload: { number, again: number } })))
      expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([])
      const payload = (await stores.artifacts.find('AuthorizationCode', 'a'))?.payload
      expect(payload?.number).toBe(payload?.again)
    })
  })

  describe('sessions', () => {
    const session = (authorizations: string | undefined, more: Record<string, unknown> = {}): Artifact => ({
      model: 'Session',
      id: 's',
      uid: 'u',
      accountId: 'jane',
      expiresAt: soon(),
      payload: { accountId: 'jane', loginTs: 1, ...(authorizations && { authorizations: JSON.parse(authorizations) }), ...more },
    })
    const stored = async ({ artifacts }: Stores) => JSON.stringify((await artifacts.find('Session', 's'))?.payload.authorizations)

    test('what fifty requests add at once all stays, in one process or two, whatever the clients are called', async () => {
      await using stores = await open()
      await using others = await stores.again()
      await stores.artifacts.putSession(session(undefined))
      const clients = [...oddKeys, ...upTo(50 - oddKeys.length).map((number) => `client ${number}`)]
      const add = (client: string) => session(`{${JSON.stringify(client)}:{"grantId":${JSON.stringify(client)}}}`)
      const outcomes = await atOnce(clients.length, (n) => (n % 2 ? stores : others).artifacts.putSession(add(clients[n] ?? '')))
      expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([])
      const entries = Object.entries(JSON.parse((await stored(others)) ?? '{}'))
      expect(entries.sort()).toEqual(clients.map((client) => [client, { grantId: client }]).sort())
    })

    test('two requests that write a new session at once keep both entries', async () => {
      await using stores = await open()
      await using others = await stores.again()
      await Promise.all([
        stores.artifacts.putSession(session('{"a":{"grantId":"1"}}')),
        others.artifacts.putSession(session('{"b":{"grantId":"2"}}')),
      ])
      expect(JSON.parse((await stored(stores)) ?? '')).toEqual({ a: { grantId: '1' }, b: { grantId: '2' } })
    })

    test('the later entry of one client stands, and everything else is as written last', async () => {
      await using stores = await open()
      await stores.artifacts.putSession(session('{"a.b":{"grantId":"1"},"__proto__":{"grantId":"2"}}', { state: 'old', gone: true }))
      await stores.artifacts.putSession(session('{"a.b":{"grantId":"3"}}', { state: 'new' }))
      expect(JSON.parse((await stored(stores)) ?? '')).toEqual(JSON.parse('{"a.b":{"grantId":"3"},"__proto__":{"grantId":"2"}}'))
      expect((await stores.artifacts.find('Session', 's'))?.payload).toMatchObject({ state: 'new' })
      expect((await stores.artifacts.find('Session', 's'))?.payload).not.toHaveProperty('gone')
      expect(await stores.artifacts.findByUid('Session', 'u')).toBeDefined()
    })

    test('another person or another sign-in inherits nothing', async () => {
      await using stores = await open()
      await stores.artifacts.putSession(session('{"a":{}}'))
      await stores.artifacts.putSession(session('{"b":{}}', { loginTs: 2 }))
      expect(await stored(stores)).toBe('{"b":{}}')
      await stores.artifacts.putSession(session('{"c":{}}', { loginTs: 2, accountId: 'john' }))
      expect(await stored(stores)).toBe('{"c":{}}')
      await stores.artifacts.putSession(session(undefined, { loginTs: undefined, accountId: undefined }))
      expect(await stored(stores)).toBeUndefined()
    })
  })

  describe('removal', () => {
    test('takes one artifact, or all of a model under a grant, or all of a person', async () => {
      await using stores = await open()
      const { artifacts } = stores
      const put = (model: string, id: string, more: Partial<Artifact> = {}) =>
        artifacts.put({ model, id, payload: {}, grantId: 'g', accountId: 'jane', expiresAt: soon(), ...more })
      const present = async (...all: readonly [string, string][]) => {
        const found = await Promise.all(all.map(([model, id]) => artifacts.find(model, id)))
        return all.filter((_, index) => found[index]).map(([, id]) => id)
      }
      const everything = [
        ['AccessToken', 'a1'],
        ['AccessToken', 'a2'],
        ['AccessToken', 'a3'],
        ['RefreshToken', 'r'],
        ['Session', 's'],
        ['Grant', 'g'],
        ['Grant', 'x'],
      ] as const
      const left = () => present(...everything.map(([model, id]): [string, string] => [model, id]))
      await put('AccessToken', 'a1')
      await put('AccessToken', 'a2')
      await put('AccessToken', 'a3', { grantId: 'other', accountId: 'john' })
      await put('RefreshToken', 'r')
      await put('Session', 's', { grantId: undefined })
      await put('Grant', 'g', { grantId: undefined })
      await put('Grant', 'x', { grantId: undefined, accountId: undefined })
      await artifacts.remove('AccessToken', 'a1')
      await artifacts.remove('AccessToken', 'unknown')
      expect(await left()).toEqual(['a2', 'a3', 'r', 's', 'g', 'x'])
      await artifacts.removeByGrant('AccessToken', 'g')
      await artifacts.removeByGrant('AccessToken', 'unknown')
      expect(await left()).toEqual(['a3', 'r', 's', 'g', 'x'])
      await artifacts.removeByAccount('jane')
      await artifacts.removeByAccount('unknown')
      expect(await left()).toEqual(['a3', 'x'])
    })
  })
}
