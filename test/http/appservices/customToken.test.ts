/** Logging in with a JWT of somebody else's, as the documentation of Custom JWT has it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import * as Realm from 'realm-web'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Place, providersFile, startPlace } from './place.ts'

const key = 'a signing key of more than 32 characters'
const secret = new TextEncoder().encode(key)
const base = { aud: 'myapp-abcde', sub: '24601' }
const user = { name: 'Jean Valjean', aliases: ['Monsieur Madeleine', 'Ultime Fauchelevent', 'Urbain Fabre'] }
const fields = [
  { required: true, name: 'user_data.name', field_name: 'name' },
  { required: false, name: 'user_data.aliases' },
  { required: false, name: 'http://example\\.com/id', field_name: 'external' },
  { required: false, name: 'valid\\.json\\.key.nested_key' },
  { required: false, name: 'sub', field_name: 'subject' },
]

let place: Place
beforeAll(async () => {
  place = await startPlace({}, { environment: { DOSSIER_OUTBOUND_ALLOW: '127.0.0.1' } })
})
afterAll(() => place[Symbol.asyncDispose]())

const configured = async (config: object, more: object = { secret_config: { signingKeys: ['jwtKey'] } }) => {
  await place.push(providersFile({ 'custom-token': { config, metadata_fields: fields, ...more } }))
}
const secretIs = (value: string) => place.domain.apps.setSecret(place.app.id, 'jwtKey', value, { kind: 'system' })
const hs256 = (claims: JWTPayload, by: Uint8Array = secret) =>
  new SignJWT({ ...base, user_data: user, ...claims }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).setExpirationTime('5m').sign(by)
const login = (token: string) => place.client().logIn(Realm.Credentials.jwt(token))
const errorOf = (call: Promise<unknown>) =>
  call.then(
    () => 'no error',
    (error: Realm.MongoDBRealmError) => [error.statusCode, error.errorCode, error.error],
  )

test('who comes with a JWT is its sub, with the fields that the app asks for', async () => {
  await configured({ signingAlgorithm: 'HS256', audience: [] })
  await secretIs(key)
  const token = await hs256({ 'http://example.com/id': 7, 'valid.json.key': { nested_key: 'val' }, other: 'not asked for' })
  const one = await login(token)
  expect(one.identities).toMatchObject([{ id: '24601', providerType: 'custom-token' }])
  const data = { ...user, external: 7, nested_key: 'val', subject: '24601' }
  expect(one.profile).toEqual(data)
  const { body } = await place.call('GET', '/auth/profile', { token: one.accessToken })
  expect(body.identities).toMatchObject([{ id: '24601', data }])
  // Refreshed at each login: what is not told any more is not kept.
  const two = await login(await hs256({ user_data: { name: 'Monsieur Madeleine' } }))
  expect([two.id, two.profile]).toEqual([one.id, { name: 'Monsieur Madeleine', subject: '24601' }])
})

test('what is missing, old, early, for others or signed by others is refused', async () => {
  await configured({ signingAlgorithm: 'HS256', audience: [] })
  await secretIs(key)
  const seconds = Math.floor(Date.now() / 1000)
  const signed = (claims: object) => new SignJWT({ ...base, user_data: user, ...claims }).setProtectedHeader({ alg: 'HS256' }).sign(secret)
  const wrong: [token: string, reason: string | RegExp][] = [
    [await hs256({ user_data: {} }), "expected field 'user_data.name' to be in token metadata"],
    [await signed({ exp: seconds - 1 }), /expired/],
    [await signed({}), /must have an exp/],
    [await hs256({ nbf: seconds + 600 }), /not good yet/],
    [await hs256({ iat: seconds + 600 }), /not good yet/],
    [await hs256({ aud: 'other' }), /another audience/],
    [await hs256({ sub: '' }), /sub/],
    [await hs256({}, new TextEncoder().encode('another key of more than 32 characters')), /signature/],
    [await hs256({ user_data: { name: 'x'.repeat(4097) } }), /longer than 4096/],
    [`${(await hs256({})).slice(0, -2)}`, /signature/],
    ['nonsense', /signature/],
    [
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ ...base, exp: seconds + 60, user_data: user })).toString('base64url')}.`,
      /signature/,
    ],
  ]
  for (const [token, reason] of wrong) expect(await errorOf(login(token))).toEqual([401, 'AuthError', expect.stringMatching(reason)])
})

test('all audiences must be there, or any of them', async () => {
  await configured({ signingAlgorithm: 'HS256', audience: ['a', 'b'] })
  await secretIs(key)
  expect(await errorOf(login(await hs256({ aud: ['a'] })))).toMatchObject([401, 'AuthError', expect.anything()])
  await login(await hs256({ aud: ['a', 'b', 'c'] }))
  await configured({ signingAlgorithm: 'HS256', audience: 'a, b', requireAnyAudience: true })
  await login(await hs256({ aud: 'b' }))
})

test('by a public key, and never by the public key as a secret', async () => {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
  const pem = await exportSPKI(publicKey)
  await configured({ signingAlgorithm: 'RS256', audience: [] })
  await secretIs(pem)
  const claims = new SignJWT({ ...base, user_data: user }).setExpirationTime('5m')
  await login(await claims.setProtectedHeader({ alg: 'RS256' }).sign(privateKey))
  expect(await errorOf(login(await hs256({}, new TextEncoder().encode(pem))))).toMatchObject([401, 'AuthError', expect.anything()])
})

test('by keys at an address, which nobody makes us ask for again and again', async () => {
  const [one, two] = [await generateKeyPair('RS256', { extractable: true }), await generateKeyPair('RS256', { extractable: true })]
  const jwk = async (pair: typeof one, kid: string) => ({ ...(await exportJWK(pair.publicKey)), kid, alg: 'RS256' })
  let keys = [await jwk(one, 'one')]
  let asked = 0
  const server = createServer((_, reply) => {
    asked += 1
    reply.end(JSON.stringify({ keys }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const jwkURI = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
  await configured({ useJWKURI: true, jwkURI, audience: [] }, {})
  const signed = (pair: typeof one, header: object) =>
    new SignJWT({ ...base, user_data: user })
      .setExpirationTime('5m')
      .setProtectedHeader({ alg: 'RS256', ...header })
      .sign(pair.privateKey)
  await login(await signed(one, { kid: 'one' }))
  await login(await signed(one, { kid: 'one' }))
  expect(asked).toBe(1)
  expect(await errorOf(login(await signed(one, {})))).toMatchObject([401, 'AuthError', expect.stringContaining('kid')])
  expect(await errorOf(login(await signed(two, { kid: 'one' })))).toMatchObject([401, 'AuthError', expect.anything()])
  keys = [await jwk(two, 'two')]
  expect(await errorOf(login(await signed(two, { kid: 'two' })))).toMatchObject([401, 'AuthError', expect.anything()])
  expect(asked).toBe(1)
  server.close()
})

test('keys in a private network are not asked for', async () => {
  await using strict = await startPlace(
    providersFile({ 'custom-token': { config: { useJWKURI: true, jwkURI: 'http://127.0.0.1:9/jwks.json', audience: [] } } }),
  )
  const { privateKey } = await generateKeyPair('RS256')
  const token = await new SignJWT(base).setExpirationTime('5m').setProtectedHeader({ alg: 'RS256', kid: 'a' }).sign(privateKey)
  expect(await errorOf(strict.client().logIn(Realm.Credentials.jwt(token)))).toMatchObject([
    401,
    'AuthError',
    expect.stringContaining('could not be read'),
  ])
})
