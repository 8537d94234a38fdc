import { pbkdf2Sync, scryptSync } from 'node:crypto'
import { hash as argon2Hash } from '@node-rs/argon2'
import { hash as bcryptHash } from '@node-rs/bcrypt'
import { expect, test } from 'vitest'
import { Busy } from '#src/base/errors.ts'
import { createPasswords, passwordScheme } from '#src/domain/users/passwords.ts'
import { person, startIdp } from '../support/idp.ts'
import { signIn } from '../support/relyingParty.ts'

const password = 'correct horse battery staple'
const salt = Buffer.from('a salt of 16 by.')
const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')

const imported: Readonly<Record<string, string>> = {
  'bcrypt $2b$': await bcryptHash(password, 6),
  'bcrypt $2y$': (await bcryptHash(password, 6)).replace('$2b$', '$2y$'),
  argon2i: await argon2Hash(password, { algorithm: 1, memoryCost: 4096, timeCost: 2 }),
  'argon2id of other costs': await argon2Hash(password, { memoryCost: 4096, timeCost: 1 }),
  'pbkdf2-sha512': `pbkdf2-sha512$1000$${base64(salt)}$${base64(pbkdf2Sync(password, salt, 1000, 64, 'sha512'))}`,
  'pbkdf2-sha256 as passlib writes it': `$pbkdf2-sha256$1000$${base64(salt).replaceAll('+', '.')}$${base64(pbkdf2Sync(password, salt, 1000, 32, 'sha256')).replaceAll('+', '.')}`,
  scrypt: `$scrypt$ln=10,r=8,p=1$${base64(salt)}$${base64(scryptSync(password, salt, 32, { N: 1024, r: 8, p: 1 }))}`,
}

for (const [name, hash] of Object.entries(imported)) {
  test(`an imported ${name} hash verifies, and nothing else does`, async () => {
    const passwords = createPasswords()
    expect(await passwords.verify(password, hash)).toBe(true)
    expect(await passwords.verify('correct horse battery stapler', hash)).toBe(false)
    expect(await passwords.verify('', hash)).toBe(false)
    expect(passwords.isOutdated(hash)).toBe(true)
  })
}

test('our own hashes are argon2id, verify, and are not outdated', async () => {
  const passwords = createPasswords()
  const hash = await passwords.hash(password)
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(await passwords.verify(password, hash)).toBe(true)
  expect(passwords.isOutdated(hash)).toBe(false)
})

test('a hash that nobody understands, or that would take for ever, is refused', () => {
  for (const hash of [
    '',
    'plain',
    '$1$md5$x',
    '$2b$31$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    '$argon2id$v=19$m=99999999,t=1,p=1$a$b',
  ]) {
    expect(() => passwordScheme(hash), hash).toThrow('is not a hash that Dossier understands')
  }
})

test('an unknown user costs the work of a known one', async () => {
  const passwords = createPasswords()
  expect(await passwords.verify(password, undefined)).toBe(false)
})

test('more passwords than the queue holds are refused at once, and the rest are verified', async () => {
  const passwords = createPasswords({ concurrency: 1, queue: 3 })
  const hash = await passwords.hash(password)
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => passwords.verify(password, hash)))
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(4)
  for (const result of results) if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(Busy)
})

test('an imported hash is replaced by one of ours at the next sign-in, and the password goes on working', async () => {
  await using idp = await startIdp()
  const passwordHash = await bcryptHash('a test password', 6)
  const user = await idp.domain.users.create(person({ username: 'imported', password: undefined, passwordHash }), { kind: 'system' })
  await signIn(idp, { username: 'imported' })
  const rehashed = await idp.domain.users.get(user.id)
  expect(rehashed.passwordHash).toMatch(/^\$argon2id\$/)
  await signIn(idp, { username: 'imported' })
  expect((await idp.domain.users.get(user.id)).passwordHash).toBe(rehashed.passwordHash)
})

test.each([
  '$argon2id$v=19$m=4194304,t=2,p=1$TcQBmOZrPt/NU1BYdOcO+A$c54Ur6CdOacSetvuzkqHOlueJQfbdedwhcw3oD1wDyE',
  '$argon2id$v=19$m=19456,t=21,p=1$TcQBmOZrPt/NU1BYdOcO+A$c54Ur6CdOacSetvuzkqHOlueJQfbdedwhcw3oD1wDyE',
  '$scrypt$ln=30,r=8,p=1$c2FsdA$aGFzaA',
  'pbkdf2-sha512$99999999$c2FsdA$aGFzaA',
])('a hash that nobody could afford to verify is not taken, and not worked on: %s', async (hash) => {
  expect(() => passwordScheme(hash)).toThrow('costs more to verify than a sign-in may take')
  expect(await createPasswords().verify('whatever', hash)).toBe(false)
})

test('a password may be typed in another form of its characters than it was set in', async () => {
  const passwords = createPasswords()
  const [composed, decomposed] = ['pässwörd mit ü'.normalize('NFC'), 'pässwörd mit ü'.normalize('NFD')]
  for (const form of [composed, decomposed]) {
    const stored = await passwords.hash(form)
    expect([await passwords.verify(composed, stored), await passwords.verify(decomposed, stored)]).toEqual([true, true])
  }
  // A hash from elsewhere may be of a text as it was typed there.
  const imported = await argon2Hash(decomposed)
  expect(await passwords.verify(decomposed, imported)).toBe(true)
  expect(await passwords.verify('password mit u', imported)).toBe(false)
})
