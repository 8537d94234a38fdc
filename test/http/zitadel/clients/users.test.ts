/** People and service accounts through ZITADEL's second API, with its own client. */
import { Code, ConnectError } from '@connectrpc/connect'
import { createUserServiceClient } from '@zitadel/client/v2'
import { Gender } from '@zitadel/proto/zitadel/user/v2/user_pb.js'
import { AuthenticationMethodType } from '@zitadel/proto/zitadel/user/v2/user_service_pb.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Idp, password, person, startIdp } from '../../../support/idp.ts'
import { findMongodb } from '../../../support/mongodb.ts'
import { managerOf, transports } from './api.ts'

const mongodb = await findMongodb()
const [grpc, web] = transports
const places = [
  { name: 'gRPC on SQLite', transport: grpc, store: undefined },
  { name: 'gRPC-web on SQLite', transport: web, store: undefined },
  ...(mongodb ? [{ name: 'gRPC on MongoDB', transport: grpc, store: () => mongodb.newDatabase() }] : []),
]

const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => expect.unreachable('it was served'),
    (error: unknown) => {
      const { code, rawMessage } = ConnectError.from(error)
      return { code, rawMessage }
    },
  )

let number = 0
const newName = () => `somebody-${++number}-${Math.random().toString(36).slice(2, 8)}`
const inAnHour = () => ({ seconds: BigInt(Math.floor(Date.now() / 1000) + 3600), nanos: 0 })

describe.each(places)('over $name', ({ transport, store }) => {
  let idp: Idp
  let users: ReturnType<typeof createUserServiceClient>
  let organizationId: string
  const as = (token: string) => {
    if (!transport) throw new Error('no transport')
    return createUserServiceClient(transport.open(idp.issuer, token))
  }
  beforeAll(async () => {
    idp = await startIdp(store ? { store: store() } : {})
    users = as((await managerOf(idp, ['ORG_USER_MANAGER'])).token)
    organizationId = (await idp.domain.catalogue.root()).organization.id
  })
  afterAll(() => idp[Symbol.asyncDispose]())

  /** Somebody who can use the API as themselves. */
  async function somebody() {
    const created = await idp.domain.users.create(person({ username: newName() }), { kind: 'system' })
    const { token } = await idp.domain.users.createToken(created.id, { name: 'own' }, { kind: 'system' })
    return { ...created, own: as(token) }
  }

  const signIn = (username: string, secret: string) => idp.domain.signIn({ name: username, password: secret, address: '192.0.2.1' })

  test('a person is created with metadata and a password, found, changed and deleted', async () => {
    const username = newName()
    const created = await users.createUser({
      organizationId,
      username,
      userType: {
        case: 'human',
        value: {
          profile: { givenName: 'Minnie', familyName: 'Mouse', nickName: 'Mini', preferredLanguage: 'en', gender: Gender.FEMALE },
          email: { email: `${username}@mouse.example`, verification: { case: 'returnCode', value: {} } },
          phone: { phone: '+41791234567', verification: { case: 'isVerified', value: true } },
          passwordType: { case: 'password', value: { password: 'a long secret' } },
          metadata: [{ key: 'contract', value: Buffer.from('7') }],
        },
      },
    })
    expect(created.id).toMatch(/^[0-9a-f]{24}$/)
    const userId = created.id
    const { user } = await users.getUserByID({ userId })
    expect(user).toMatchObject({
      userId,
      state: 1,
      username,
      loginNames: [username],
      preferredLoginName: username,
      details: { sequence: 2n, resourceOwner: organizationId },
      type: {
        case: 'human',
        value: {
          profile: { givenName: 'Minnie', familyName: 'Mouse', nickName: 'Mini', displayName: 'Minnie Mouse', preferredLanguage: 'en' },
          email: { email: `${username}@mouse.example`, isVerified: false },
          phone: { phone: '+41791234567', isVerified: true },
        },
      },
    })
    expect(JSON.stringify(user, (_, value) => (typeof value === 'bigint' ? Number(value) : value))).not.toMatch(/argon2|secret/i)
    expect(await signIn(username, 'a long secret')).toMatchObject({ kind: 'signedIn' })

    await users.verifyEmail({ userId, verificationCode: created.emailCode ?? '' })
    expect(await failureOf(users.verifyEmail({ userId, verificationCode: created.emailCode ?? '' }))).toEqual({
      code: Code.InvalidArgument,
      rawMessage: 'Code is invalid (CODE-woT0xc)',
    })
    await users.updateUser({ userId, username: `${username}2`, userType: { case: 'human', value: { profile: { nickName: 'M' } } } })
    const { user: changed } = await users.getUserByID({ userId })
    expect(changed).toMatchObject({ username: `${username}2`, type: { value: { profile: { givenName: 'Minnie', nickName: 'M' } } } })
    expect(changed?.type.value).toMatchObject({ email: { isVerified: true } })
    expect(await users.listUserMetadata({ userId })).toMatchObject({ metadata: [{ key: 'contract' }] })

    await users.deleteUser({ userId })
    expect(await failureOf(users.getUserByID({ userId }))).toEqual({
      code: Code.NotFound,
      rawMessage: 'User could not be found (QUERY-Dfbg2)',
    })
  })

  test('what cannot be kept is refused, and nobody is made', async () => {
    const human = {
      profile: { givenName: 'A', familyName: 'B' },
      email: { email: 'a@b.example' },
    }
    const taken = await failureOf(users.addHumanUser({ username: idp.jane.username.toUpperCase(), ...human }))
    expect(taken).toEqual({ code: Code.AlreadyExists, rawMessage: 'User already exists (V3-DKcYh)' })
    const elsewhere = { organization: { org: { case: 'orgId', value: '7' } } } as const
    expect(await failureOf(users.addHumanUser({ ...elsewhere, ...human }))).toMatchObject({
      rawMessage: "Organisation doesn't exist (AUTH-Bs7Ds)",
    })
    const weak = { passwordType: { case: 'password', value: { password: 'short' } } } as const
    expect(await failureOf(users.addHumanUser({ username: newName(), ...human, ...weak }))).toMatchObject({ code: Code.InvalidArgument })
    const unknown = { passwordType: { case: 'hashedPassword', value: { hash: 'plain' } } } as const
    expect(await failureOf(users.addHumanUser({ username: newName(), ...human, ...unknown }))).toMatchObject({ code: Code.InvalidArgument })
    expect(await failureOf(users.addHumanUser({ userId: 'seven', username: newName(), ...human }))).toMatchObject({
      code: Code.InvalidArgument,
    })
    expect(await failureOf(users.addHumanUser({ username: newName(), ...human, totpSecret: 'x' }))).toMatchObject({
      code: Code.Unimplemented,
    })
    const { details } = await users.listUsers({
      queries: [{ query: { case: 'emailQuery', value: { emailAddress: 'a@b.example' } } }],
    })
    expect(details?.totalResult).toBe(0n)
  })

  test('without a username, people go by their address and machines by their id', async () => {
    const email = `${newName()}@acme.example`
    const { userId } = await users.addHumanUser({
      profile: { givenName: 'A', familyName: 'B' },
      email: { email },
      metadata: [
        { key: 'twice', value: Buffer.from('1') },
        { key: 'twice', value: Buffer.from('2') },
      ],
    })
    expect((await users.getUserByID({ userId })).user?.username).toBe(email)
    const { metadata } = await users.listUserMetadata({ userId })
    expect(metadata.map(({ value }) => Buffer.from(value).toString())).toEqual(['2'])
    const { id } = await users.createUser({
      organizationId,
      userType: { case: 'machine', value: { name: 'Robot', description: 'mows the lawn' } },
    })
    expect((await users.getUserByID({ userId: id })).user).toMatchObject({
      username: id,
      type: { case: 'machine', value: { name: 'Robot', description: 'mows the lawn', hasSecret: false } },
    })
  })

  test('an imported hash is a password, and the password is set by whoever may', async () => {
    const bcrypt = '$2y$12$hXUrnqdq1RIIYZ2HPytIIe5lXdIvbhqrTvdPsSF7o.jFh817Z6lwm'
    const username = newName()
    const { userId } = await users.addHumanUser({
      username,
      profile: { givenName: 'A', familyName: 'B' },
      email: { email: `${username}@acme.example`, verification: { case: 'isVerified', value: true } },
      passwordType: { case: 'hashedPassword', value: { hash: bcrypt, changeRequired: true } },
    })
    expect((await idp.domain.users.get(userId as typeof idp.jane.id)).passwordHash).toBe(bcrypt)
    expect((await users.listAuthenticationMethodTypes({ userId })).authMethodTypes).toEqual([AuthenticationMethodType.PASSWORD])

    await users.setPassword({ userId, newPassword: { password: 'set by a manager' } })
    expect(await signIn(username, 'set by a manager')).toMatchObject({ kind: 'signedIn' })

    const { verificationCode = '' } = await users.passwordReset({ userId, medium: { case: 'returnCode', value: {} } })
    const byCode = { case: 'verificationCode', value: verificationCode } as const
    // A password that is not taken does not use the code up.
    expect(await failureOf(users.setPassword({ userId, newPassword: { password: 'short' }, verification: byCode }))).toMatchObject({
      code: Code.InvalidArgument,
    })
    await users.setPassword({ userId, newPassword: { password: 'set with a code' }, verification: byCode })
    expect(await failureOf(users.setPassword({ userId, newPassword: { password: 'set once more' }, verification: byCode }))).toMatchObject({
      rawMessage: 'Code is invalid (CODE-woT0xc)',
    })
    expect(await failureOf(users.passwordReset({ userId, medium: { case: 'sendLink', value: {} } }))).toMatchObject({
      code: Code.FailedPrecondition,
    })
  })

  test('people change their own password with the one until now, and with nothing less', async () => {
    const { id: userId, username, own } = await somebody()
    const set = (verification: Parameters<typeof own.setPassword>[0]['verification']) =>
      own.setPassword({ userId, newPassword: { password: 'of their own choice' }, verification })
    expect(await failureOf(set(undefined))).toMatchObject({ code: Code.NotFound, rawMessage: 'membership not found (AUTHZ-cdgFk)' })
    expect(await failureOf(set({ case: 'currentPassword', value: 'wrong' }))).toEqual({
      code: Code.InvalidArgument,
      rawMessage: 'Password is invalid (COMMAND-3M0fs)',
    })
    await set({ case: 'currentPassword', value: password })
    expect(await signIn(username, 'of their own choice')).toMatchObject({ kind: 'signedIn' })
    expect((await failureOf(own.passwordReset({ userId, medium: { case: 'returnCode', value: {} } }))).code).toBe(Code.NotFound)
  })

  test('people set their own addresses, and prove them by a code that they are not simply told', async () => {
    const { id: userId, own } = await somebody()
    const email = `${newName()}@acme.example`
    for (const verification of [
      { case: 'returnCode', value: {} },
      { case: 'isVerified', value: true },
    ] as const) {
      expect((await failureOf(own.setEmail({ userId, email, verification }))).code).toBe(Code.NotFound)
      expect((await failureOf(own.setPhone({ userId, phone: '+41791234567', verification }))).code).toBe(Code.NotFound)
    }
    await own.setEmail({ userId, email })
    await own.setPhone({ userId, phone: '+41791234567', verification: { case: 'sendCode', value: {} } })
    expect((await own.getUserByID({ userId })).user?.type.value).toMatchObject({
      email: { email, isVerified: false },
      phone: { phone: '+41791234567', isVerified: false },
    })
    const { verificationCode = '' } = await users.resendEmailCode({ userId, verification: { case: 'returnCode', value: {} } })
    await own.verifyEmail({ userId, verificationCode })
    const { verificationCode: phoneCode = '' } = await users.setPhone({
      userId,
      phone: '+41791234567',
      verification: { case: 'returnCode', value: {} },
    })
    await own.verifyPhone({ userId, verificationCode: phoneCode })
    expect((await own.getUserByID({ userId })).user?.type.value).toMatchObject({
      email: { email, isVerified: true },
      phone: { isVerified: true },
    })
    await own.removePhone({ userId })
    expect((await failureOf(own.removePhone({ userId }))).code).toBe(Code.NotFound)

    // A code proves the address that it was made for.
    const { verificationCode: stale = '' } = await users.sendEmailCode({ userId, verification: { case: 'returnCode', value: {} } })
    await own.setEmail({ userId, email: `other-${email}` })
    expect((await failureOf(own.verifyEmail({ userId, verificationCode: stale }))).code).toBe(Code.InvalidArgument)
    expect((await failureOf(users.sendEmailCode({ userId }))).code).toBe(Code.FailedPrecondition)

    const other = await somebody()
    expect((await failureOf(own.getUserByID({ userId: other.id }))).code).toBe(Code.NotFound)
    expect((await failureOf(own.setEmail({ userId: other.id, email }))).code).toBe(Code.NotFound)
    for (const move of [own.deactivateUser, own.lockUser, own.deleteUser])
      expect((await failureOf(move({ userId }))).code).toBe(Code.NotFound)
  })

  test('two who change a person at once both do', async () => {
    const { id: userId } = await somebody()
    const email = `${newName()}@acme.example`
    await Promise.all([
      users.updateUser({ userId, userType: { case: 'human', value: { profile: { nickName: 'J' } } } }),
      users.setEmail({ userId, email }),
      users.setPhone({ userId, phone: '+41791234567' }),
    ])
    expect((await users.getUserByID({ userId })).user?.type.value).toMatchObject({
      profile: { nickName: 'J' },
      email: { email },
      phone: { phone: '+41791234567' },
    })
  })

  test('a change with a password that is not taken changes nothing', async () => {
    const { id: userId, username } = await somebody()
    const weak = { password: { passwordType: { case: 'password', value: { password: 'short' } } } } as const
    const change = users.updateUser({ userId, username: newName(), userType: { case: 'human', value: weak } })
    expect(await failureOf(change)).toEqual({ code: Code.InvalidArgument, rawMessage: 'password: must have 8 characters or more' })
    expect((await users.getUserByID({ userId })).user?.username).toBe(username)
    const right = { passwordType: { case: 'password', value: { password: 'a long secret' } } } as const
    await users.updateUser({ userId, userType: { case: 'human', value: { password: right } } })
    expect(await signIn(username, 'a long secret')).toMatchObject({ kind: 'signedIn' })
  })

  test('users are switched off and on, each from the state that it needs', async () => {
    const { id: userId, own } = await somebody()
    const stateOf = async () => (await users.getUserByID({ userId })).user?.state
    await users.deactivateUser({ userId })
    expect(await stateOf()).toBe(2)
    expect(await failureOf(own.getUserByID({ userId }))).toMatchObject({ code: Code.Unauthenticated })
    expect(await failureOf(users.deactivateUser({ userId }))).toEqual({
      code: Code.FailedPrecondition,
      rawMessage: 'User is already inactive (COMMAND-5gunjw0cd7)',
    })
    expect((await failureOf(users.unlockUser({ userId }))).code).toBe(Code.FailedPrecondition)
    await users.reactivateUser({ userId })
    await users.lockUser({ userId })
    expect(await stateOf()).toBe(4)
    expect((await failureOf(users.reactivateUser({ userId }))).code).toBe(Code.FailedPrecondition)
    await users.unlockUser({ userId })
    expect(await stateOf()).toBe(1)
  })

  test('a machine has keys, secrets and tokens, which are told once', async () => {
    const { id: userId } = await users.createUser({ organizationId, userType: { case: 'machine', value: { name: 'Robot' } } })
    const key = await users.addKey({ userId, expirationDate: inAnHour() })
    const file = JSON.parse(Buffer.from(key.keyContent).toString())
    expect(file).toMatchObject({ type: 'serviceaccount', keyId: key.keyId, userId })
    expect(file.key).toContain('PRIVATE KEY')
    const publicKey = new TextEncoder().encode('-----BEGIN nonsense')
    expect((await failureOf(users.addKey({ userId, expirationDate: inAnHour(), publicKey }))).code).toBe(Code.InvalidArgument)
    expect((await failureOf(users.addKey({ userId, expirationDate: { seconds: 1n, nanos: 0 } }))).code).toBe(Code.InvalidArgument)

    const { clientSecret } = await users.addSecret({ userId })
    expect(clientSecret.length).toBeGreaterThan(40)
    expect((await users.getUserByID({ userId })).user?.type.value).toMatchObject({ hasSecret: true })
    const { token, tokenId } = await users.addPersonalAccessToken({ userId, expirationDate: inAnHour() })
    expect((await as(token).getUserByID({ userId })).user?.userId).toBe(userId)

    const mine = { filter: { case: 'userIdFilter', value: { id: userId } } } as const
    expect(await users.listKeys({ filters: [mine] })).toMatchObject({
      pagination: { totalResult: 1n, appliedLimit: 100n },
      result: [{ id: key.keyId, userId, organizationId }],
    })
    const tokens = await users.listPersonalAccessTokens({ filters: [mine, { filter: { case: 'tokenIdFilter', value: { id: tokenId } } }] })
    expect(tokens.result).toMatchObject([{ id: tokenId, userId }])
    expect((await failureOf(users.listKeys({}))).code).toBe(Code.InvalidArgument)

    expect((await users.removeKey({ userId, keyId: key.keyId })).deletionDate).toBeDefined()
    expect((await users.removeKey({ userId, keyId: key.keyId })).deletionDate).toBeUndefined()
    await users.removePersonalAccessToken({ userId, tokenId })
    expect((await failureOf(as(token).getUserByID({ userId }))).code).toBe(Code.Unauthenticated)
    await users.removeSecret({ userId })
    expect((await users.getUserByID({ userId })).user?.type.value).toMatchObject({ hasSecret: false })

    const { id: human } = await somebody()
    const refused = { code: Code.FailedPrecondition, rawMessage: 'Not allowed for this user type (COMMAND-Df2f1)' }
    expect(await failureOf(users.addPersonalAccessToken({ userId: human, expirationDate: inAnHour() }))).toEqual(refused)
    expect(await failureOf(users.setPassword({ userId, newPassword: { password: 'for a machine?' } }))).toEqual(refused)
  })
})
