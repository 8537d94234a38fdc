import { expect, test } from 'vitest'
import { demo, workplace } from './dossier.ts'

test('a rotated key signs later, a former one can be retired, the one that signs cannot', async () => {
  const place = workplace()
  await place.run(['apply', demo])
  const keys = async () => (await place.run(['keys', 'list', '--json'])).json.keys
  const [first] = await keys()
  expect(first).toMatchObject({ algorithm: 'RS256', phase: 'signing' })
  expect((await place.run(['keys', 'rotate'])).status).toBe(0)
  expect((await keys()).map(({ phase }: { phase: string }) => phase).sort()).toEqual(['published', 'signing'])
  const again = await place.run(['keys', 'rotate'])
  expect(again.status).toBe(1)
  expect(again.stderr).toContain('waits to sign already; "dossier keys rotate --now" lets it sign at once')
  const refused = await place.run(['keys', 'retire', '--yes', '--', first.kid])
  expect(refused.status).toBe(1)
  expect(refused.stderr).toContain('signs now')
  expect((await place.run(['keys', 'rotate', '--now', '--algorithm', 'RS256'])).status).toBe(0)
  expect((await place.run(['keys', 'retire', '--', first.kid])).status).toBe(2)
  expect((await place.run(['keys', 'retire', '--yes', '--', first.kid])).status).toBe(0)
  expect((await keys()).map(({ kid }: { kid: string }) => kid)).not.toContain(first.kid)
  expect((await place.run(['keys', 'rotate', '--algorithm', 'EdDSA'])).status).toBe(1)
  expect((await place.run(['keys', 'rotate', '--algorithm', 'HS256'])).status).toBe(2)
})

test('a check of the configuration opens the keys with the secret, as a start would', async () => {
  const place = workplace()
  await place.run(['apply', demo])
  const check = async (environment: Record<string, string> = {}) => {
    const { status, json } = await place.run(['config', 'check', '--json'], {
      environment: { DOSSIER_ISSUER: 'http://localhost:18999', ...environment },
    })
    return { status, keys: json.checks.find(({ name }: { name: string }) => name === 'signing keys') }
  }
  expect((await check()).keys).toMatchObject({ status: 'ok' })
  const wrong = await check({ DOSSIER_SECRET: 'another secret of more than 32 bytes' })
  expect(wrong).toMatchObject({
    status: 1,
    keys: { status: 'failed', detail: expect.stringContaining('DOSSIER_SECRET is not the one that sealed') },
  })
})
