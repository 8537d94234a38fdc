/** Grants beyond code, refresh and client credentials: JWT bearer with a key file, token exchange. */
import { createPrivateKey } from 'node:crypto'
import { decodeJwt, exportPKCS8, generateKeyPair, SignJWT } from 'jose'
import * as client from 'openid-client'
import { describe, expect, test, vi } from 'vitest'
import type { Application } from '#src/domain/applications/application.ts'
import type { KeyFile } from '#src/domain/users/machineKeys.ts'
import type { User } from '#src/domain/users/user.ts'
import { type Idp, person, startIdp } from '../../support/idp.ts'
import { metadataScope, relyingParty, signIn, zitadelAudience } from '../../support/relyingParty.ts'
import { testStores } from '../../support/stores.ts'

const system = { kind: 'system' } as const

interface Answer {
  readonly status: number
  readonly access_token?: string
  readonly scope?: string
  readonly error?: string
  readonly error_description?: string
}

describe.each(testStores)('a key file, on $name', ({ make }) => {
  async function startWithKey(expiresAt?: Date) {
    let now = new Date()
    const idp = await startIdp({ store: make(), now: () => now })
    const machine = await idp.domain.users.create(
      { kind: 'machine', username: 'inventory-sync', profile: {}, metadata: [{ key: 'Zone', value: Buffer.from('7') }] },
      system,
    )
    const keyFile = await idp.domain.users.createKey(machine.id, { expiresAt }, system)
    const moveTo = (to: Date) => {
      now = to
    }
    return { idp, machine, keyFile, moveTo }
  }

  /** What ZITADEL's libraries make of a key file; `changes` replace claims. */
  function assertionOf(idp: Idp, { userId, keyId, key }: KeyFile, changes: Record<string, unknown> = {}): Promise<string> {
    const iat = Math.floor(Date.now() / 1000)
    const claims = { iss: userId, sub: userId, aud: idp.issuer, iat, exp: iat + 60, ...changes }
    return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: keyId }).sign(createPrivateKey(key))
  }

  async function ask(idp: Idp, assertion: string, scope = ''): Promise<Answer> {
    const fields = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion, scope }
    const reply = await fetch(idp.url('/oauth/v2/token'), { method: 'POST', body: new URLSearchParams(fields) })
    return { status: reply.status, ...((await reply.json()) as object) }
  }

  test('gets a token that speaks for the machine user at userinfo and at the API', async () => {
    const { idp, machine, keyFile } = await startWithKey()
    await using _ = idp
    expect(keyFile).toMatchObject({ type: 'serviceaccount', userId: machine.id, key: expect.stringContaining('BEGIN RSA PRIVATE KEY') })
    const answer = await ask(idp, await assertionOf(idp, keyFile), `openid profile ${metadataScope} ${zitadelAudience} offline_access`)
    expect(answer).toMatchObject({ status: 200, scope: `openid profile ${metadataScope} ${zitadelAudience}` })
    const authorization = `Bearer ${answer.access_token}`
    const userinfo = await (await fetch(idp.url('/oidc/v1/userinfo'), { headers: { authorization } })).json()
    expect(userinfo).toMatchObject({ sub: machine.id, [metadataScope]: { Zone: 'Nw' } })
    const found = await fetch(idp.url('/auth/v1/users/me/metadata/Zone'), { headers: { authorization } })
    expect(await found.json()).toMatchObject({ metadata: { key: 'Zone', value: 'Nw==' } })
  })

  test('is worthless once the key is removed or over, or the user may not act', async () => {
    const { idp, machine, keyFile, moveTo } = await startWithKey(new Date(Date.now() + 60_000))
    await using _ = idp
    expect((await ask(idp, await assertionOf(idp, keyFile))).status).toBe(200)
    await idp.domain.users.deactivate(machine.id, system)
    expect(await ask(idp, await assertionOf(idp, keyFile))).toMatchObject({ status: 400, error: 'invalid_grant' })
    await idp.domain.users.reactivate(machine.id, system)
    expect((await ask(idp, await assertionOf(idp, keyFile))).status).toBe(200)
    const other = await idp.domain.users.createKey(machine.id, {}, system)
    expect((await ask(idp, await assertionOf(idp, other))).status).toBe(200)
    expect(await idp.domain.users.removeKey(machine.id, other.keyId, system)).toBe(true)
    expect(await ask(idp, await assertionOf(idp, other))).toMatchObject({ status: 400, error: 'invalid_grant' })
    moveTo(new Date(Date.now() + 61_000))
    expect(await ask(idp, await assertionOf(idp, keyFile, { exp: Math.floor(Date.now() / 1000) + 600 }))).toMatchObject({ status: 400 })
  })

  test('makes assertions that are judged strictly, and one with an id is used once, also many times at once', async () => {
    const { idp, keyFile } = await startWithKey()
    await using _ = idp
    const second = Math.floor(Date.now() / 1000)
    const wrong: readonly Record<string, unknown>[] = [
      { aud: 'https://other.example' },
      { exp: second - 60 },
      { exp: undefined },
      { exp: second + 4000 },
      { iat: second + 600, exp: second + 660 },
      { iat: undefined },
      { sub: idp.jane.id },
      { iss: idp.jane.id, sub: idp.jane.id },
      { iss: '__proto__', sub: '__proto__' },
    ]
    for (const changes of wrong) {
      const answer = await ask(idp, await assertionOf(idp, keyFile, changes))
      expect(answer, JSON.stringify(changes)).toMatchObject({
        status: 400,
        error: 'invalid_grant',
        error_description: expect.stringMatching(/^assertion: /),
      })
    }
    const stranger = await generateKeyPair('RS256', { extractable: true })
    const forged = await assertionOf(idp, { ...keyFile, key: await exportPKCS8(stranger.privateKey) })
    expect(await ask(idp, forged)).toMatchObject({ status: 400, error: 'invalid_grant' })
    expect(await ask(idp, 'nonsense')).toMatchObject({ status: 400, error: 'invalid_grant', error_description: 'assertion: it is no JWT' })
    expect(await ask(idp, '')).toMatchObject({ status: 400, error: 'invalid_request' })

    const once = await assertionOf(idp, keyFile, { jti: 'only once' })
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(idp, once)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  test('is not the key of another machine user, and its assertions are taken once in a form, and not at any length', async () => {
    const { idp, keyFile } = await startWithKey()
    await using _ = idp
    const other = await idp.domain.users.create({ kind: 'machine', username: 'billing-sync', profile: {} }, system)
    const strange = await assertionOf(idp, keyFile, { iss: other.id, sub: other.id })
    expect(await ask(idp, strange)).toMatchObject({ status: 400, error: 'invalid_grant' })
    await idp.domain.users.createKey(other.id, {}, system)
    expect(await ask(idp, strange)).toMatchObject({ status: 400, error: 'invalid_grant' })

    const assertion = await assertionOf(idp, keyFile)
    const twice = new URLSearchParams([
      ['grant_type', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
      ['assertion', assertion],
      ['assertion', assertion],
    ])
    const refused = await fetch(idp.url('/oauth/v2/token'), { method: 'POST', body: twice })
    expect(refused.status).toBe(400)
    expect(await refused.json()).toMatchObject({ error: 'invalid_request', error_description: expect.any(String) })
    expect(await ask(idp, await assertionOf(idp, keyFile, { more: 'x'.repeat(50_000) }))).toMatchObject({ status: 413 })
    for (const broken of [`${assertion}x`, assertion.replace('.', '..'), `${assertion.split('.')[0]}..`, '..', 'a.b.c', '{}', '\u0000']) {
      expect(await ask(idp, broken), broken).toMatchObject({ status: 400, error: 'invalid_grant' })
    }
  })
})

describe('token exchange', () => {
  const grant = 'urn:ietf:params:oauth:grant-type:token-exchange'
  const accessToken = 'urn:ietf:params:oauth:token-type:access_token'
  const userId = 'urn:zitadel:params:oauth:token-type:user_id'

  async function start(changes: Partial<Application> = {}) {
    const idp = await startIdp()
    const gateway = {
      ...idp.web,
      id: 'gateway',
      clientId: 'gateway',
      grantTypes: ['tokenExchange'],
      redirectUris: [],
      ...changes,
    } as Application
    await idp.domain.catalogue.commit({ putApplications: [gateway], events: [] })
    return { idp, configuration: await relyingParty(idp, gateway) }
  }

  /** Somebody with these roles of Dossier's own project, and their access token. */
  async function actor(idp: Idp, roles: readonly string[]): Promise<{ user: User; token: string }> {
    const { ownProjectId } = await idp.domain.catalogue.root()
    const user = await idp.domain.users.create(person({ username: 'support', roles: { [ownProjectId]: roles } }), system)
    const { tokens } = await signIn(idp, { username: 'support', scope: `openid ${zitadelAudience}` })
    return { user, token: tokens.access_token }
  }

  test('an application gets a token of its own for the same user and for no more', async () => {
    const { idp, configuration } = await start()
    await using _ = idp
    const { tokens } = await signIn(idp, { scope: `openid email offline_access ${metadataScope}` })
    const fields = { subject_token: tokens.access_token, subject_token_type: accessToken }
    const all = await client.genericGrantRequest(configuration, grant, fields)
    expect(all).toMatchObject({ issued_token_type: accessToken, token_type: 'bearer', scope: `openid email ${metadataScope}` })
    expect(await client.fetchUserInfo(configuration, all.access_token, idp.jane.id)).toMatchObject({ email: 'jane@acme.example' })
    const jwt = await client.genericGrantRequest(configuration, grant, {
      ...fields,
      scope: 'openid',
      requested_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    })
    expect(decodeJwt(jwt.access_token)).toMatchObject({ sub: idp.jane.id, client_id: 'gateway', scope: 'openid' })
    expect(jwt.expires_in).toBeLessThanOrEqual(3600)
    const more = client.genericGrantRequest(configuration, grant, { ...fields, scope: 'openid phone' })
    await expect(more).rejects.toMatchObject({ error: 'invalid_scope' })
  })

  test('nobody acts for somebody else without the right to do so', async () => {
    const { idp, configuration } = await start()
    await using _ = idp
    const { token } = await actor(idp, [])
    const fields = { subject_token: idp.jane.id, subject_token_type: userId }
    await expect(client.genericGrantRequest(configuration, grant, fields)).rejects.toMatchObject({ error: 'invalid_request' })
    const asked = client.genericGrantRequest(configuration, grant, { ...fields, actor_token: token, actor_token_type: accessToken })
    await expect(asked).rejects.toMatchObject({
      error: 'invalid_grant',
      error_description: expect.stringContaining('was not granted the right'),
    })
    const events = await idp.domain.stores.audit.list({ kind: 'user', id: idp.jane.id }, { limit: 50 })
    expect(events.map(({ type }) => type)).not.toContain('user.impersonated')
  })

  test('whoever has the right acts for people, visibly in the token and in the trail, and not for administrators', async () => {
    const { idp, configuration } = await start({ accessTokenType: 'jwt' })
    await using _ = idp
    const { user, token } = await actor(idp, ['ORG_END_USER_IMPERSONATOR'])
    const asActor = { actor_token: token, actor_token_type: accessToken, scope: 'openid email' }
    const answer = await client.genericGrantRequest(configuration, grant, {
      ...asActor,
      subject_token: idp.jane.id,
      subject_token_type: userId,
    })
    expect(decodeJwt(answer.access_token)).toMatchObject({ sub: idp.jane.id, act: { sub: user.id } })
    expect(await client.tokenIntrospection(configuration, answer.access_token)).toMatchObject({ sub: idp.jane.id, act: { sub: user.id } })
    const [event] = await idp.domain.stores.audit.list({ kind: 'user', id: idp.jane.id }, { limit: 1 })
    expect(event).toMatchObject({
      type: 'user.impersonated',
      actor: { kind: 'user', id: user.id },
      payload: { clientId: 'gateway', actorId: user.id, scope: 'openid email' },
    })
    const again = await client.genericGrantRequest(configuration, grant, {
      subject_token: answer.access_token,
      subject_token_type: accessToken,
    })
    expect(decodeJwt(again.access_token)).toMatchObject({ act: { sub: user.id } })

    await idp.domain.users.edit(idp.jane.id, { admin: true }, system)
    const refused = client.genericGrantRequest(configuration, grant, { ...asActor, subject_token: idp.jane.id, subject_token_type: userId })
    await expect(refused).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  test.each([
    ['deactivated', ({ web }: Idp) => ({ putApplications: [{ ...web, active: false }] })],
    ['removed', ({ web }: Idp) => ({ removeApplications: [web.id] })],
  ])('nobody acts for somebody by a token of an application that was %s', async (_, change) => {
    const { idp, configuration } = await start()
    await using _idp = idp
    const { token } = await actor(idp, ['ORG_END_USER_IMPERSONATOR'])
    await idp.domain.catalogue.commit({ ...change(idp), events: [] })
    const fields = { subject_token: idp.jane.id, subject_token_type: userId, actor_token: token, actor_token_type: accessToken }
    await expect(client.genericGrantRequest(configuration, grant, fields)).rejects.toMatchObject({
      error: 'invalid_grant',
      error_description: expect.stringContaining('gone or deactivated'),
    })
  })

  test('tokens that are foreign, revoked, bound or of a deactivated user are refused with a reason', async () => {
    const { idp, configuration } = await start()
    await using _ = idp
    const exchange = (subject_token: string, more: Record<string, string> = {}) =>
      client.genericGrantRequest(configuration, grant, { subject_token, subject_token_type: accessToken, ...more })
    await expect(exchange('unknown')).rejects.toMatchObject({ error: 'invalid_grant' })
    await expect(exchange('x', { subject_token_type: 'urn:of:another:world' })).rejects.toMatchObject({ error: 'invalid_request' })
    await expect(exchange('x', { requested_token_type: 'urn:of:another:world' })).rejects.toMatchObject({ error: 'invalid_request' })
    await expect(exchange('x', { audience: 'somebody' })).rejects.toMatchObject({ error: 'invalid_target' })

    const narrow = { ...idp.spa, audience: 'client' } as const
    await idp.domain.catalogue.commit({ putApplications: [narrow], events: [] })
    const other = await signIn(idp, { application: narrow })
    await expect(exchange(other.tokens.access_token)).rejects.toMatchObject({
      error_description: expect.stringContaining('not meant for this application'),
    })
    const { tokens } = await signIn(idp)
    expect((await exchange(tokens.access_token)).access_token).toEqual(expect.any(String))
    await idp.domain.users.deactivate(idp.jane.id, system)
    await expect(exchange(tokens.access_token)).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  test('tokens of other kinds, tokens that are over, and requests of another form are refused with a reason', async () => {
    const { idp, configuration } = await start()
    await using _ = idp
    const { tokens } = await signIn(idp, { scope: 'openid offline_access' })
    const exchange = (fields: Record<string, string> | [string, string][]) =>
      client.genericGrantRequest(configuration, grant, new URLSearchParams(fields))
    const valid = { subject_token: tokens.access_token, subject_token_type: accessToken }
    for (const subject_token of [
      tokens.refresh_token as string,
      tokens.id_token as string,
      `${tokens.access_token}x`,
      '__proto__',
      '\u0000',
    ]) {
      await expect(exchange({ ...valid, subject_token })).rejects.toMatchObject({ error: 'invalid_grant' })
    }
    await expect(exchange({ subject_token_type: accessToken })).rejects.toMatchObject({ error: 'invalid_request' })
    await expect(exchange([...Object.entries(valid), ['subject_token', 'x']])).rejects.toMatchObject({ error: 'invalid_request' })
    await expect(exchange({ ...valid, subject_token: 'x'.repeat(60_000) })).rejects.toMatchObject({ error: 'invalid_request', status: 413 })
    try {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 43_201_000 })
      await expect(exchange(valid)).rejects.toMatchObject({ error: 'invalid_grant' })
    } finally {
      vi.useRealTimers()
    }
  })

  test('many exchanges of one token at once give as many tokens, each of its own', async () => {
    const { idp, configuration } = await start()
    await using _ = idp
    const { tokens } = await signIn(idp)
    const fields = { subject_token: tokens.access_token, subject_token_type: accessToken }
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.genericGrantRequest(configuration, grant, fields)))
    expect(new Set(answers.map(({ access_token }) => access_token)).size).toBe(20)
    const [first, second] = answers as [(typeof answers)[0], (typeof answers)[0]]
    await client.tokenRevocation(configuration, first.access_token)
    expect(await client.tokenIntrospection(configuration, first.access_token)).toEqual({ active: false })
    expect(await client.tokenIntrospection(configuration, second.access_token)).toMatchObject({ active: true, sub: idp.jane.id })
  })

  test('an application without the grant gets none', async () => {
    const { idp } = await start()
    await using _ = idp
    const { tokens, configuration } = await signIn(idp)
    const asked = client.genericGrantRequest(configuration, grant, { subject_token: tokens.access_token, subject_token_type: accessToken })
    await expect(asked).rejects.toMatchObject({ error: 'invalid_request' })
  })
})
