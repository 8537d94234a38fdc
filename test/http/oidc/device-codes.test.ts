/** Device codes and the user codes that people type for them (RFC 8628), misused. */
import * as client from 'openid-client'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Application } from '#src/domain/applications/application.ts'
import { type Idp, password, person, startIdp } from '../../support/idp.ts'
import { relyingParty } from '../../support/relyingParty.ts'
import { testStores } from '../../support/stores.ts'

const grantType = 'urn:ietf:params:oauth:grant-type:device_code'

/** A device of `application` that waits. */
async function waitingDevice(idp: Idp, application: Application = idp.web) {
  const configuration = await relyingParty(idp, application)
  const device = await client.initiateDeviceAuthorization(configuration, { scope: 'openid' })
  const poll = () => client.genericGrantRequest(configuration, grantType, { device_code: device.device_code })
  return { ...device, poll }
}

/** A browser with the page that asks whether the device shows this code. */
async function asked(idp: Idp, user_code: string) {
  const browser = idp.browser()
  const page = await browser.submit(await browser.open('/device'), '/device', { user_code })
  expect(page.text).toContain('id="device-allow"')
  const press = (fields: Record<string, string>) => browser.submit(page, '/device', { user_code, ...fields })
  return { browser, press }
}

// The clock of this process is the engine's too.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], shouldAdvanceTime: true }))
afterEach(() => void vi.useRealTimers())

describe.each(testStores)('on $name', ({ make }) => {
  test('a user code that many people confirm at once is taken by one of them, and the device gets that one', async () => {
    await using idp = await startIdp({ store: make() })
    const device = await waitingDevice(idp)
    const people = await Promise.all(
      Array.from({ length: 5 }, async (_, index) => {
        const user = await idp.domain.users.create(person({ username: `person-${index}` }), { kind: 'system' })
        return { user, ...(await asked(idp, device.user_code)) }
      }),
    )
    const pages = await Promise.all(people.map(({ press }) => press({ confirm: 'yes' })))
    const winners = pages.flatMap((page, index) => (page.text.includes('id="login-submit"') ? [index] : []))
    expect(winners).toHaveLength(1)
    const late = pages.filter((_, index) => index !== winners[0])
    for (const page of late) expect(page.text).toContain('Somebody is signing in with this code right now')

    const { browser, user } = people[winners[0] as number] as (typeof people)[number]
    const page = pages[winners[0] as number] as (typeof pages)[number]
    const done = await browser.submit(page, '/login', { username: user.username, password })
    expect(done.text).toContain('Device connected')
    expect((await device.poll()).claims()?.sub).toBe(user.id)

    const visitor = idp.browser()
    const used = await visitor.submit(await visitor.open('/device'), '/device', { user_code: device.user_code.toLowerCase() })
    expect(used.text).toContain('This code has been used already')
  })

  test('a user code that is refused and confirmed at once is one of both, and the device is told which', async () => {
    await using idp = await startIdp({ store: make() })
    for (let round = 0; round < 5; round += 1) {
      const device = await waitingDevice(idp)
      const [one, other] = [await asked(idp, device.user_code), await asked(idp, device.user_code)]
      const [refused, confirmed] = await Promise.all([one.press({ abort: 'yes' }), other.press({ confirm: 'yes' })])
      const isTaken = confirmed.text.includes('id="login-submit"')
      expect(refused.text).toContain(isTaken ? 'Somebody is signing in with this code right now' : 'The request was refused')
      await expect(device.poll()).rejects.toMatchObject({ error: isTaken ? 'authorization_pending' : 'access_denied' })
    }
  })

  test('a code that is over is told as such to the person and to the device', async () => {
    await using idp = await startIdp({ store: make() })
    const device = await waitingDevice(idp)
    const { press } = await asked(idp, device.user_code)
    vi.setSystemTime(Date.now() + 601_000)
    const page = await press({ confirm: 'yes' })
    expect(page.status).toBe(400)
    expect(page.text).toContain('This code has expired')
    await expect(device.poll()).rejects.toMatchObject({ error: 'expired_token' })
  })
})

test('a device code of another client is refused to it, and still works for its own', async () => {
  await using idp = await startIdp()
  const stranger: Application = { ...idp.web, id: 'stranger', clientId: 'stranger' }
  await idp.domain.catalogue.commit({ putApplications: [stranger], events: [] })
  const device = await waitingDevice(idp)
  const { browser, press } = await asked(idp, device.user_code)
  await browser.submit(await press({ confirm: 'yes' }), '/login', { username: idp.jane.username, password })
  const stolen = client.genericGrantRequest(await relyingParty(idp, stranger), grantType, { device_code: device.device_code })
  await expect(stolen).rejects.toMatchObject({ error: 'invalid_grant' })
  expect((await device.poll()).claims()?.sub).toBe(idp.jane.id)
})

test('codes that nobody was given, malformed and oversized ones, are no codes', async () => {
  await using idp = await startIdp()
  const browser = idp.browser()
  const configuration = await relyingParty(idp, idp.web)
  for (const code of ['', ' ', '-', '__proto__', '\u0000', 'é', 'x'.repeat(10_000), '{"$gt":""}']) {
    const page = await browser.submit(await browser.open('/device'), '/device', { user_code: code, confirm: 'yes' })
    expect(page.status, code.slice(0, 20)).toBe(400)
    expect(page.text).toContain('There is no such code')
    const asking = client.genericGrantRequest(configuration, grantType, { device_code: code })
    await expect(asking).rejects.toMatchObject({ error: expect.stringMatching(/^invalid_(grant|request)$/) })
  }
})
