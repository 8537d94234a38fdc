/** Targets and executions, with a receiver on a real socket. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Code, type ConnectError } from '@connectrpc/connect'
import { createClientFor } from '@zitadel/client'
import { ActionService } from '@zitadel/proto/zitadel/action/v2beta/action_service_pb.js'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { afterEach, describe, expect, test } from 'vitest'
import { signatureOf } from '#src/domain/actions/run.ts'
import { type Idp, startIdp } from '../../../support/idp.ts'
import { findMongodb } from '../../../support/mongodb.ts'
import { metadataScope, signIn } from '../../../support/relyingParty.ts'
import { managerOf, transports } from './api.ts'

interface Received {
  readonly path: string
  readonly signature: string
  readonly text: string
  readonly json: Record<string, never>
}

type Reply = { readonly status?: number; readonly body?: string; readonly hangs?: true }

/** A receiver that answers as `reply` says. */
async function startReceiver(reply: (received: Received) => Reply) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const text = Buffer.concat(await request.toArray()).toString()
    const one = { path: request.url ?? '', signature: String(request.headers['zitadel-signature']), text, json: JSON.parse(text) }
    received.push(one)
    const { status = 200, body = '', hangs } = reply(one)
    if (!hangs) response.writeHead(status).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const open: (() => void)[] = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

const environment = { DOSSIER_OUTBOUND_ALLOW: '127.0.0.1' }

async function clientFor(idp: Idp) {
  const { token } = await managerOf(idp, ['IAM_OWNER'])
  return createClientFor(ActionService)((transports[1] as (typeof transports)[number]).open(idp.issuer, token))
}

const call = (interruptOnError = false) => ({ case: 'restCall', value: { interruptOnError } }) as const
const onFunction = (name: string) => ({ conditionType: { case: 'function', value: { name } } }) as const
const onEvent = (event: string) => ({ conditionType: { case: 'event', value: { condition: { case: 'event', value: event } } } }) as const

async function until<T>(ask: () => T | undefined | false): Promise<T> {
  for (let tries = 0; tries < 400; tries += 1) {
    const found = ask()
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  return expect.unreachable('it did not come')
}

test('targets are made, found, changed and taken away, and stand in the trail without their key', async () => {
  await using idp = await startIdp({ environment })
  const api = await clientFor(idp)
  const made = await api.createTarget({ name: 'claims', endpoint: 'https://example.com/a', targetType: call(), timeout: { seconds: 5n } })
  expect(made.signingKey.length).toBeGreaterThan(30)
  const { target } = await api.getTarget({ id: made.id })
  expect(target).toMatchObject({ name: 'claims', endpoint: 'https://example.com/a', signingKey: made.signingKey, timeout: { seconds: 5n } })
  const changed = await api.updateTarget({ id: made.id, name: 'renamed', expirationSigningKey: { seconds: 0n } })
  expect(changed.signingKey).not.toBe(made.signingKey)
  await api.setExecution({ condition: onFunction('preuserinfo'), targets: [made.id] })
  await api.setExecution({ condition: onEvent('user.human.added'), targets: [made.id] })
  const { executions } = await api.listExecutions({ filters: [{ filter: { case: 'targetFilter', value: { targetId: made.id } } }] })
  expect(executions.map(({ condition }) => condition?.conditionType.case).sort()).toEqual(['event', 'function'])
  expect(
    (await api.listTargets({ filters: [{ filter: { case: 'targetNameFilter', value: { targetName: 'name', method: 4 } } }] })).targets,
  ).toHaveLength(1)
  await api.deleteTarget({ id: made.id })
  expect((await api.listExecutions({})).executions).toEqual([])
  expect((await api.deleteTarget({ id: made.id })).deletionDate).toBeUndefined()
  const failureOf = (refused: Promise<unknown>) =>
    refused.then(
      () => expect.unreachable(),
      (error: ConnectError) => error.code,
    )
  expect(await failureOf(api.getTarget({ id: made.id }))).toBe(Code.NotFound)
  expect(await failureOf(api.createTarget({ name: 'x', endpoint: 'file:///etc/passwd', targetType: call() }))).toBe(Code.InvalidArgument)
  expect(await failureOf(api.setExecution({ condition: onFunction('nothing'), targets: [] }))).toBe(Code.InvalidArgument)
  expect(await failureOf(api.setExecution({ condition: onFunction('preuserinfo'), targets: ['nobody'] }))).toBe(Code.InvalidArgument)
  for (const event of ['user.nope', 'project.added', 'user.human']) {
    expect(await failureOf(api.setExecution({ condition: onEvent(event), targets: [] }))).toBe(Code.InvalidArgument)
  }
  const onGroup = (group: string) => ({ conditionType: { case: 'event', value: { condition: { case: 'group', value: group } } } }) as const
  expect(await failureOf(api.setExecution({ condition: onGroup('zzz'), targets: [] }))).toBe(Code.InvalidArgument)
  await api.setExecution({ condition: onGroup('user.human'), targets: [] })
  expect(
    await failureOf(
      api.setExecution({
        condition: { conditionType: { case: 'request', value: { condition: { case: 'all', value: true } } } },
        targets: [],
      }),
    ),
  ).toBe(Code.Unimplemented)
  const events = await idp.domain.stores.audit.list({ kind: 'target', id: made.id }, { limit: 10 })
  expect(events.map(({ type }) => type)).toEqual(['target.removed', 'target.changed', 'target.created'])
  expect(JSON.stringify(events)).not.toContain(made.signingKey)
  expect(JSON.stringify(await idp.domain.stores.actions.list())).not.toContain(changed.signingKey)
})

describe('functions', () => {
  test('a target adds claims and metadata, and replaces nothing', async () => {
    await using idp = await startIdp({ environment })
    const api = await clientFor(idp)
    const answer = {
      append_claims: [
        { key: 'plan', value: { name: 'gold' } },
        { key: 'sub', value: 'somebody else' },
        { key: 'urn:zitadel:iam:org:project:roles', value: { admin: {} } },
      ],
      set_user_metadata: [{ key: 'seen', value: 'eWVz' }],
      append_log_claims: ['a line'],
    }
    const { received, url } = await startReceiver(() => ({ body: JSON.stringify(answer) }))
    const { id, signingKey } = await api.createTarget({ name: 'claims', endpoint: `${url}/claims`, targetType: call() })
    await api.setExecution({ condition: onFunction('preuserinfo'), targets: [id] })
    const { tokens, configuration } = await signIn(idp, { scope: `openid profile ${metadataScope}` })
    expect(tokens.claims()).toMatchObject({ sub: idp.jane.id, plan: { name: 'gold' } })
    const userinfo = await client.fetchUserInfo(configuration, tokens.access_token, idp.jane.id)
    const log = ['key sub already exists', 'key urn:zitadel:iam:org:project:roles is reserved', 'a line']
    expect(userinfo).toMatchObject({ sub: idp.jane.id, plan: { name: 'gold' }, 'urn:zitadel:iam:action:preuserinfo:log': log })
    expect(userinfo['urn:zitadel:iam:org:project:roles']).toBeUndefined()
    // What was set at the ID token is there by now.
    expect(userinfo[metadataScope]).toEqual({ ContractNumber: 'MTIzNA', seen: 'eWVz' })
    const byForm = await fetch(idp.url('/oidc/v1/userinfo'), {
      method: 'POST',
      body: new URLSearchParams({ access_token: tokens.access_token }),
    })
    expect(await byForm.json()).toEqual(userinfo)
    expect((await client.tokenIntrospection(configuration, tokens.access_token)).plan).toEqual({ name: 'gold' })
    const [first] = received
    if (!first) return expect.unreachable()
    expect(first.path).toBe('/claims')
    expect(first.json).toMatchObject({
      function: 'function/preuserinfo',
      user: { id: idp.jane.id, username: idp.jane.username },
      user_metadata: [{ key: 'ContractNumber', value: 'MTIzNA==' }],
      application: { client_id: idp.web.clientId },
    })
    const time = Number(/^t=(\d+),/.exec(first.signature)?.[1])
    expect(first.signature).toBe(signatureOf(first.text, signingKey, new Date(time * 1000)))
  })

  test('a JWT access token gets what its own function adds', async () => {
    await using idp = await startIdp({ environment })
    const api = await clientFor(idp)
    const { url } = await startReceiver(() => ({ body: '{"AppendClaims":[{"Key":"tier","Value":3},{"Key":"iss","Value":"x"}]}' }))
    const { id } = await api.createTarget({ name: 'tier', endpoint: url, targetType: call() })
    await api.setExecution({ condition: onFunction('preaccesstoken'), targets: [id] })
    const application = { ...idp.web, accessTokenType: 'jwt' } as const
    await idp.domain.catalogue.commit({ putApplications: [application], events: [] })
    const { tokens } = await signIn(idp, { application, scope: 'openid offline_access' })
    expect(decodeJwt(tokens.access_token)).toMatchObject({ tier: 3, iss: idp.issuer })
    expect(decodeJwt(tokens.id_token ?? '').tier).toBeUndefined()
  })

  test.each([
    ['answers an error', { status: 500 }],
    ['hangs', { hangs: true }],
    ['speaks no JSON', { body: '<html>' }],
    ['answers another form', { body: '{"append_claims":[{"value":1}]}' }],
  ] as const)('a target that %s ends the request, when it was said to', async (_, reply) => {
    await using idp = await startIdp({ environment })
    const api = await clientFor(idp)
    const { url } = await startReceiver(() => reply)
    const timeout = { nanos: 300_000_000 }
    const { id } = await api.createTarget({ name: 'strict', endpoint: url, targetType: call(true), timeout })
    const { configuration, tokens } = await signIn(idp)
    await api.setExecution({ condition: onFunction('preuserinfo'), targets: [id] })
    await expect(client.fetchUserInfo(configuration, tokens.access_token, idp.jane.id)).rejects.toThrow()
    await expect(signIn(idp)).rejects.toMatchObject({ error: 'access_denied' })
    await api.updateTarget({ id, targetType: call(false) })
    expect((await client.fetchUserInfo(configuration, tokens.access_token, idp.jane.id)).sub).toBe(idp.jane.id)
    expect(idp.log.join('')).not.toContain('"level":50')
  })

  test('one member of another form keeps no other from being heard', async () => {
    await using idp = await startIdp({ environment })
    const api = await clientFor(idp)
    const answer = {
      append_claims: [{ value: 1 }, { key: 'plan', value: 'gold' }],
      set_user_metadata: [
        { key: 'bad', value: 'not base64!' },
        { key: 'seen', value: 'eWVz' },
      ],
      append_log_claims: ['a line', 5],
    }
    const { url } = await startReceiver(() => ({ body: JSON.stringify(answer) }))
    const { id } = await api.createTarget({ name: 'mixed', endpoint: url, targetType: call() })
    await api.setExecution({ condition: onFunction('preuserinfo'), targets: [id] })
    const { tokens, configuration } = await signIn(idp)
    const userinfo = await client.fetchUserInfo(configuration, tokens.access_token, idp.jane.id)
    expect(userinfo.plan).toBe('gold')
    expect(userinfo['urn:zitadel:iam:action:preuserinfo:log']).toEqual([
      'a line',
      'mixed: a claim has no key',
      'mixed: metadata "bad" has no value in base64',
      'mixed: a log claim is no text',
    ])
    const { metadata = [] } = (await idp.domain.users.findWithMetadata(idp.jane.id)) ?? {}
    expect(metadata.map(({ key }) => key).toSorted()).toEqual(['ContractNumber', 'seen'])
  })

  test('nobody is called in a private network unless the operator says so, and the trail has each call', async () => {
    await using idp = await startIdp()
    const api = await clientFor(idp)
    const { received, url } = await startReceiver(() => ({}))
    const { id } = await api.createTarget({ name: 'inside', endpoint: url, targetType: call() })
    const byName = await api.createTarget({ name: 'inside by name', endpoint: url.replace('127.0.0.1', 'localhost'), targetType: call() })
    await api.setExecution({ condition: onFunction('preuserinfo'), targets: [id, byName.id] })
    await signIn(idp)
    expect(received).toEqual([])
    await new Promise((resolve) => setTimeout(resolve, 300))
    for (const target of [id, byName.id]) {
      const events = await idp.domain.stores.audit.list({ kind: 'target', id: target }, { limit: 10 })
      expect(events[0]).toMatchObject({ type: 'target.called', payload: { cause: 'function/preuserinfo', reason: expect.any(String) } })
    }
  })
})

const mongodb = await findMongodb()

describe.each([{ name: 'SQLite', store: undefined }, ...(mongodb ? [{ name: 'MongoDB', store: () => mongodb.newDatabase() }] : [])])(
  'events on $name',
  ({ store }) => {
    test('are told from the moment on that somebody is to be told', async () => {
      await using idp = await startIdp({ environment, ...(store && { store: store() }) })
      const api = await clientFor(idp)
      const { received, url } = await startReceiver(() => ({}))
      const targetType = { case: 'restWebhook', value: { interruptOnError: false } } as const
      const { id } = await api.createTarget({ name: 'events', endpoint: url, targetType })
      await api.setExecution({ condition: onEvent('user.metadata.set'), targets: [id] })
      await idp.domain.metadata.set(idp.jane.id, [{ key: 'first', value: Buffer.from('x') }], { kind: 'system' })
      await until(() => received.length > 0)
      expect(received[0]?.json).toMatchObject({ event_payload: { key: 'first' } })
    }, 30_000)

    test('are told to targets in order, again after a failure, and not what was before', async () => {
      await using idp = await startIdp({ environment, ...(store && { store: store() }) })
      const api = await clientFor(idp)
      const { metadata } = idp.domain
      const system = { kind: 'system' } as const
      await metadata.set(idp.jane.id, [{ key: 'before', value: Buffer.from('x') }], system)
      let failures = 1
      const { received, url } = await startReceiver(() => ({ status: failures-- > 0 ? 503 : 200 }))
      const { id } = await api.createTarget({
        name: 'events',
        endpoint: url,
        targetType: { case: 'restWebhook', value: { interruptOnError: false } },
      })
      await api.setExecution({ condition: onEvent('user.metadata.set'), targets: [id] })
      // The teller takes its stand within a second or two.
      await until(async () => true)
      await new Promise((resolve) => setTimeout(resolve, 2500))
      for (const key of ['a', 'b', 'c']) await metadata.set(idp.jane.id, [{ key, value: Buffer.from('secret value') }], system)
      await metadata.remove(idp.jane.id, ['a'], system)
      const keys = await until(
        () => received.length >= 4 && received.map(({ json }) => (json as { event_payload?: { key: string } }).event_payload?.key),
      )
      expect(keys).toEqual(['a', 'a', 'b', 'c'])
      expect(received[0]?.json).toMatchObject({
        aggregateID: idp.jane.id,
        event_type: 'user.metadata.set',
        event_payload: { key: 'a', bytes: 12 },
      })
      expect(received.map(({ text }) => text).join()).not.toContain('secret value')
    }, 30_000)
  },
)
