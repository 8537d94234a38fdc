import { expect, test } from 'vitest'
import { workplace } from './dossier.ts'

test('an initial access token is made, shown once, listed and revoked', async () => {
  const place = workplace()
  await place.run(['user', 'create', 'jane', '--no-password'])
  const { json: made } = await place.run(['registration-token', 'create', '--name', 'partners', '--uses', '2', '--expires', '7d', '--json'])
  expect(made).toEqual({ id: expect.any(String), token: expect.stringMatching(/^iat_/) })
  const listed = await place.run(['registration-token', 'list', '--json'])
  expect(listed.json.tokens).toMatchObject([{ id: made.id, name: 'partners', uses: 2, expirationDate: expect.any(String) }])
  expect(listed.stdout).not.toContain(made.token)
  expect((await place.run(['registration-token', 'revoke', made.id])).stdout).toBe(`The registration token ${made.id} is revoked\n`)
  const again = await place.run(['registration-token', 'revoke', made.id])
  expect([again.status, again.stderr]).toEqual([1, `dossier registration-token revoke: there is no registration token ${made.id}\n`])
  expect((await place.run(['registration-token', 'list'])).stdout).toBe('There are no registration tokens\n')
  for (const wrong of [['superfluous'], ['--uses', '0'], ['--uses', '1001'], ['--uses', 'many'], ['--uses', '-1']]) {
    expect((await place.run(['registration-token', 'create', ...wrong])).status, wrong.join(' ')).toBe(2)
  }
})
