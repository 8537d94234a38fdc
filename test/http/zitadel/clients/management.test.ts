/** Users through ZITADEL's first API, with its own clients: for managers, and for people about themselves. */
import { Code, ConnectError } from '@connectrpc/connect'
import { createAuthServiceClient, createManagementServiceClient } from '@zitadel/client/v1'
import { KeyType } from '@zitadel/proto/zitadel/auth_n_key_pb.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Idp, password, person, startIdp } from '../../../support/idp.ts'
import { findMongodb } from '../../../support/mongodb.ts'
import { signIn as signInAtTheBrowser } from '../../../support/relyingParty.ts'
import { managerOf, transports } from './api.ts'

const mongodb = await findMongodb()
const [grpc, web] = transports
const places = [
  { name: 'gRPC on SQLite', transport: grpc, store: undefined },
  { name: 'gRPC-web on SQLite', transport: web, store: undefined },
  ...(mongodb ? [{ name: 'gRPC on MongoDB', transport: grpc, store: () => mongodb.newDatabase() }] : []),
]

const system = { kind: 'system' } as const
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

describe.each(places)('over $name', ({ transport, store }) => {
  let idp: Idp
  let manager: { id: string; token: string }
  let management: ReturnType<typeof managing>
  const opened = (token: string) => {
    if (!transport) throw new Error('no transport')
    return transport.open(idp.issuer, token)
  }
  const managing = (token: string) => createManagementServiceClient(opened(token))
  beforeAll(async () => {
    idp = await startIdp(store ? { store: store() } : {})
    manager = await managerOf(idp, ['ORG_USER_MANAGER'])
    management = managing(manager.token)
  })
  afterAll(() => idp[Symbol.asyncDispose]())

  const signIn = (name: string, secret: string) => idp.domain.signIn({ name, password: secret, address: '192.0.2.1' })

  test('a person is made, told about, changed, switched off and removed, and all of that is their history', async () => {
    const userName = newName()
    const { userId, details } = await management.importHumanUser({
      userName,
      profile: { firstName: 'Minnie', lastName: 'Mouse', nickName: 'Mini', preferredLanguage: 'de', gender: 1 },
      email: { email: `${userName}@mouse.example`, isEmailVerified: true },
      phone: { phone: '+41791234567', isPhoneVerified: false },
      password: 'a long secret',
      passwordChangeRequired: true,
    })
    expect(details?.sequence).toBe(1n)
    expect(await signIn(userName, 'a long secret')).toMatchObject({ kind: 'signedIn' })
    expect((await management.getUserByID({ id: userId })).user).toMatchObject({
      id: userId,
      state: 1,
      userName,
      loginNames: [userName],
      type: {
        value: {
          profile: {
            firstName: 'Minnie',
            lastName: 'Mouse',
            nickName: 'Mini',
            displayName: 'Minnie Mouse',
            preferredLanguage: 'de',
            gender: 1,
          },
          email: { email: `${userName}@mouse.example`, isEmailVerified: true },
          phone: { phone: '+41791234567', isPhoneVerified: false },
        },
      },
    })

    await management.updateHumanProfile({ userId, firstName: 'Max', lastName: 'Maus', displayName: 'Maxl', gender: 2 })
    expect((await management.getHumanProfile({ userId })).profile).toMatchObject({
      firstName: 'Max',
      nickName: '',
      displayName: 'Maxl',
      preferredLanguage: '',
      gender: 2,
    })
    await management.updateHumanEmail({ userId, email: `${userName}@maus.example` })
    expect((await management.getHumanEmail({ userId })).email).toMatchObject({ email: `${userName}@maus.example`, isEmailVerified: false })
    await management.updateHumanPhone({ userId, phone: '+41790000000', isPhoneVerified: true })
    expect((await management.getHumanPhone({ userId })).phone).toMatchObject({ phone: '+41790000000', isPhoneVerified: true })
    await management.removeHumanPhone({ userId })
    expect((await management.getHumanPhone({ userId })).phone?.phone).toBe('')
    await management.updateUserName({ userId, userName: `${userName}2` })
    await management.setHumanPassword({ userId, password: 'another long secret' })
    expect(await signIn(`${userName}2`, 'another long secret')).toMatchObject({ kind: 'signedIn' })

    await management.lockUser({ id: userId })
    expect(await failureOf(management.lockUser({ id: userId }))).toMatchObject({ code: Code.FailedPrecondition })
    await management.unlockUser({ id: userId })
    await management.deactivateUser({ id: userId })
    expect(await signIn(`${userName}2`, 'another long secret')).toMatchObject({ kind: 'refused' })
    await management.reactivateUser({ id: userId })
    const removed = await management.removeUser({ id: userId })
    expect(await failureOf(management.getUserByID({ id: userId }))).toMatchObject({ code: Code.NotFound })

    const { result } = await management.listUserChanges({ userId })
    expect(result.map(({ eventType }) => eventType?.key.replace('EventTypes.user.', ''))).toEqual([
      'removed',
      'reactivated',
      'deactivated',
      'unlocked',
      'locked',
      'human.password.changed',
      'username.changed',
      'human.profile.changed',
      'human.profile.changed',
      'human.profile.changed',
      'human.profile.changed',
      'human.added',
    ])
    expect(result.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 12 }, (_, index) => BigInt(12 - index)))
    expect(removed.details?.sequence).toBe(12n)
    expect(result[0]).toMatchObject({ editorId: manager.id, eventType: { localizedMessage: 'User removed' } })
    const sequences = async (query: object) =>
      (await management.listUserChanges({ userId, query })).result.map((each) => Number(each.sequence))
    expect(await sequences({ limit: 2 })).toEqual([12, 11])
    expect(await sequences({ limit: 2, sequence: 11n })).toEqual([10, 9])
    expect(await sequences({ limit: 2, asc: true })).toEqual([1, 2])
    expect(await sequences({ limit: 3, asc: true, sequence: 10n })).toEqual([11, 12])
    expect(await failureOf(sequences({ limit: 1001 }))).toMatchObject({ rawMessage: 'Limit exceeded (QUERY-4M0fs)' })
    expect(await failureOf(management.listUserChanges({ userId: 'nobody' }))).toMatchObject({ code: Code.NotFound })
  })

  test('a person without a password gets one', async () => {
    const userName = newName()
    const { userId } = await management.addHumanUser({
      userName,
      profile: { firstName: 'A', lastName: 'B', displayName: 'AB' },
      email: { email: `${userName}@b.example` },
    })
    expect((await management.listHumanAuthFactors({ userId })).result).toEqual([])
    expect((await management.listHumanLinkedIDPs({ userId })).result).toEqual([])
    await management.setHumanInitialPassword({ userId, password: 'the first of them' })
    expect(await signIn(userName, 'the first of them')).toMatchObject({ kind: 'signedIn' })
    const hash = '$2y$12$hXUrnqdq1RIIYZ2HPytIIe5lXdIvbhqrTvdPsSF7o.jFh817Z6lwm'
    const imported = await management.importHumanUser({
      userName: newName(),
      profile: { firstName: 'A', lastName: 'B' },
      email: { email: 'a@b.example' },
      hashedPassword: { value: hash },
    })
    expect((await idp.domain.users.get(imported.userId as typeof idp.jane.id)).passwordHash).toBe(hash)
    const withFactor = { profile: { firstName: 'A', lastName: 'B' }, email: { email: 'a@b.example' }, otpCode: 'x' }
    expect(await failureOf(management.importHumanUser({ userName: newName(), ...withFactor }))).toMatchObject({ code: Code.Unimplemented })
  })

  test('a machine is made with keys, tokens and a secret', async () => {
    const { userId } = await management.addMachineUser({ userName: newName(), name: 'Robot', description: 'mows' })
    await management.updateMachine({ userId, name: 'Robot 2', description: '' })
    const robot = { type: { case: 'machine', value: { name: 'Robot 2', description: '', hasSecret: false } } }
    expect((await management.getUserByID({ id: userId })).user).toMatchObject(robot)
    expect(await failureOf(management.addMachineUser({ userName: newName(), name: 'R', accessTokenType: 1 }))).toMatchObject({
      code: Code.Unimplemented,
    })

    const { keyId, keyDetails } = await management.addMachineKey({ userId, type: KeyType.JSON })
    const file = JSON.parse(Buffer.from(keyDetails).toString())
    expect(file).toMatchObject({ type: 'serviceaccount', keyId, userId })
    expect((await management.getMachineKeyByIDs({ userId, keyId })).key).toMatchObject({ id: keyId, type: KeyType.JSON })
    expect((await management.listMachineKeys({ userId })).result.map(({ id }) => id)).toEqual([keyId])
    await management.removeMachineKey({ userId, keyId })
    expect(await failureOf(management.removeMachineKey({ userId, keyId }))).toMatchObject({ code: Code.NotFound })

    const { token, tokenId } = await management.addPersonalAccessToken({ userId })
    const never = { seconds: 253370764800n, nanos: 0 }
    expect((await management.getPersonalAccessTokenByIDs({ userId, tokenId })).token).toMatchObject({ id: tokenId, expirationDate: never })
    expect((await management.listPersonalAccessTokens({ userId })).details?.totalResult).toBe(1n)
    expect((await createAuthServiceClient(opened(token)).getMyUser({})).user).toMatchObject({ id: userId, ...robot })
    expect(await failureOf(createAuthServiceClient(opened(token)).getMyProfile({}))).toMatchObject({ code: Code.FailedPrecondition })
    await management.removePersonalAccessToken({ userId, tokenId })
    expect(await failureOf(management.getPersonalAccessTokenByIDs({ userId, tokenId }))).toMatchObject({ code: Code.NotFound })

    const { clientId, clientSecret } = await management.generateMachineSecret({ userId })
    const reply = await fetch(idp.url('/oauth/v2/token'), {
      method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'openid' }),
    })
    expect(reply.status).toBe(200)
    await management.removeMachineSecret({ userId })
    expect(await failureOf(management.removeMachineSecret({ userId }))).toMatchObject({ code: Code.NotFound })
  })

  test('people see and change themselves', async () => {
    const { id, username } = await idp.domain.users.create(person({ username: newName() }), system)
    const { token } = await idp.domain.users.createToken(id, { name: 'own' }, system)
    const mine = createAuthServiceClient(opened(token))
    expect((await mine.getMyUser({})).user).toMatchObject({ id, userName: username })
    await mine.updateMyProfile({ firstName: 'Janet', lastName: 'Doe', displayName: 'Janet' })
    expect((await mine.getMyProfile({})).profile).toMatchObject({ firstName: 'Janet', displayName: 'Janet' })
    await mine.setMyEmail({ email: `${username}@acme.example` })
    expect((await mine.getMyEmail({})).email).toMatchObject({ email: `${username}@acme.example`, isEmailVerified: false })
    expect(await failureOf(mine.verifyMyEmail({ code: 'wrong' }))).toMatchObject({ rawMessage: 'Code is invalid (CODE-woT0xc)' })
    await mine.setMyPhone({ phone: '+41791234567' })
    expect((await mine.getMyPhone({})).phone).toMatchObject({ phone: '+41791234567', isPhoneVerified: false })
    await mine.removeMyPhone({})

    const newPassword = 'of their own choice'
    expect(await failureOf(mine.updateMyPassword({ oldPassword: 'wrong', newPassword }))).toMatchObject({
      rawMessage: 'Password is invalid (COMMAND-3M0fs)',
    })
    await mine.updateMyPassword({ oldPassword: password, newPassword })
    expect(await signIn(username, newPassword)).toMatchObject({ kind: 'signedIn' })
    const { result } = await mine.listMyUserChanges({ query: { limit: 1 } })
    expect(result).toMatchObject([
      { editorId: id, editorDisplayName: 'Janet', eventType: { key: 'EventTypes.user.human.password.changed' } },
    ])
    expect(await failureOf(mine.removeMyUser({}))).toMatchObject({ code: Code.Unimplemented })
  })

  test('people change of themselves what the setting selfManagedProfile lets them', async () => {
    const { catalogue, users } = idp.domain
    const { settings } = await catalogue.root()
    const { id } = await users.create(person({ username: newName() }), system)
    const { token } = await users.createToken(id, { name: 'own' }, system)
    const mine = createAuthServiceClient(opened(token))
    await catalogue.commit({ settings: { ...settings, selfManagedProfile: ['nickName'] }, events: [] })
    try {
      const { firstName, lastName, displayName, preferredLanguage, gender } = (await mine.getMyProfile({})).profile ?? {}
      const same = { firstName, lastName, displayName, preferredLanguage, gender }
      await mine.updateMyProfile({ ...same, nickName: 'Janey' })
      const refused = await Promise.all([
        failureOf(mine.updateMyProfile({ ...same, lastName: 'Other' })),
        failureOf(mine.setMyEmail({ email: 'other@acme.example' })),
        failureOf(mine.setMyPhone({ phone: '+41791234567' })),
        failureOf(mine.removeMyPhone({})),
      ])
      for (const failure of refused) expect(failure).toMatchObject({ code: Code.PermissionDenied })
      expect((await users.get(id)).profile).toMatchObject({ nickName: 'Janey', familyName: 'Doe', phone: '+41 44 000 00 00' })
    } finally {
      await catalogue.commit({ settings, events: [] })
    }
  })

  test('guesses at the password until now are slowed down', async () => {
    const { id } = await idp.domain.users.create(person({ username: newName() }), system)
    const { token } = await idp.domain.users.createToken(id, { name: 'own' }, system)
    const mine = createAuthServiceClient(opened(token))
    const guess = () => failureOf(mine.updateMyPassword({ oldPassword: 'a guess', newPassword: 'of their own choice' }))
    const codes: Code[] = []
    for (let index = 0; index < 6; index += 1) codes.push((await guess()).code)
    expect(codes.at(-1)).toBe(Code.ResourceExhausted)
  })

  test('people see what they may do', async () => {
    const mine = createAuthServiceClient(opened(manager.token))
    const { result } = await mine.listMyZitadelPermissions({})
    expect(result).toEqual(expect.arrayContaining(['user.read', 'user.write', 'user.delete', 'project.read']))
    expect(result).not.toContain('project.write')
    const { organization } = await idp.domain.catalogue.root()
    const member = { userId: manager.id, roles: ['ORG_USER_MANAGER'], type: { case: 'orgId', value: organization.id } }
    expect((await mine.listMyMemberships({})).result).toMatchObject([member])
    expect((await management.listUserMemberships({ userId: manager.id })).result).toMatchObject([member])
    const iam = [{ query: { case: 'iamQuery', value: { iam: true } } }] as const
    expect((await mine.listMyMemberships({ queries: [...iam] })).result).toEqual([])
    expect((await mine.listMyUserGrants({})).result).toEqual([])

    const { token } = await idp.domain.users.createToken(idp.jane.id, { name: 'own' }, system)
    const { result: grants } = await createAuthServiceClient(opened(token)).listMyUserGrants({})
    expect(grants).toMatchObject([{ projectId: idp.project.id, projectName: idp.project.name, roles: ['reader'], roleKeys: ['reader'] }])
    expect((await createAuthServiceClient(opened(token)).listMyProjectPermissions({})).result).toEqual([])
  })
})

test('people see where they are signed in, and what they may do in the application that asks', async () => {
  await using idp = await startIdp()
  const { tokens } = await signInAtTheBrowser(idp, { scope: 'openid urn:zitadel:iam:org:project:id:zitadel:aud' })
  const mine = createAuthServiceClient(grpc?.open(idp.issuer, tokens.access_token) ?? expect.unreachable())
  expect((await mine.listMyUserSessions({})).result).toMatchObject([{ authState: 1, userId: idp.jane.id, displayName: 'Jane Doe' }])
  expect((await mine.listMyProjectPermissions({})).result).toEqual(['reader'])
})
