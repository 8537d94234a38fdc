/** Pages that are made from the code, and pages that must name what the code has. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { metadataLimits } from '#src/domain/metadata/metadata.ts'
import { applicationShape } from '#src/domain/provisioning/application.ts'
import { fileShapes } from '#src/domain/provisioning/file.ts'
import { userShape } from '#src/domain/provisioning/user.ts'
import { throttleLimits } from '#src/domain/users/throttle.ts'
import { createHandlers, type HandlerNeeds } from '#src/http/zitadel/handlers.ts'
import { configurationPage } from '../../docs/configuration.ts'

const page = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')

test('docs/configuration.md is what the schema says: run `npm run docs`', () => {
  expect(page('configuration.md')).toBe(configurationPage())
})

test('docs/events.md names every event that is recorded, and no other', () => {
  const source = readFileSync(new URL('../../src/domain/audit/events.ts', import.meta.url), 'utf8')
  const catalogue = source.slice(source.indexOf('interface EventPayloads'), source.indexOf('export type EventType'))
  const recorded = [...catalogue.matchAll(/'([a-z_]+\.[a-z_]+)':/g)].map(([, type]) => type)
  const documented = [...page('events.md').matchAll(/^\| `([a-z_]+\.[a-z_]+)`/gm)].map(([, type]) => type)
  expect(documented.toSorted()).toEqual(recorded.toSorted())
})

test('every field of the configuration file is documented', () => {
  const text = page('configuration-file.md') + page('applications.md')
  const fields = [...fileShapes, applicationShape, userShape].flatMap((shape) => Object.keys(shape))
  expect(fields.filter((field) => !text.includes(`\`${field}\``))).toEqual([])
})

test('docs/zitadel.md names every RPC about users that is served', async () => {
  const text = page('zitadel.md')
  const served = await Promise.all(
    ['zitadel.user.v2.UserService', 'zitadel.auth.v1.AuthService'].map(async (service) => [
      ...(await createHandlers({} as HandlerNeeds)(service)).keys(),
    ]),
  )
  expect(served.flat().filter((name) => !text.includes(`\`${name}\``))).toEqual([])
})

test('docs/security.md has the numbers that the code has', () => {
  const text = page('security.md')
  const { account, address, messages, windowSeconds } = throttleLimits
  expect(text).toContain(`${account.free} failures an account`)
  expect(text).toContain(`${address.free} failures an address`)
  expect(text).toContain(`${address.free} registrations an address`)
  expect(text).toContain(`${messages.most} an hour for an address`)
  expect(text).toContain(`up to ${account.longestWaitSeconds} seconds`)
  expect(text).toContain(`${windowSeconds / 60} minutes`)
  expect(text).toContain(metadataLimits.valueBytes.toLocaleString('en'))
})
