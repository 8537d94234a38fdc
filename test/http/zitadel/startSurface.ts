import { once } from 'node:events'
import { type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { Busy, StoreUnavailable } from '#src/base/errors.ts'
import { composeDomain } from '#src/composeDomain.ts'
import { createManaging } from '#src/domain/applications/managing.ts'
import type { AuthorizationRequests } from '#src/domain/sessions/authorizationRequests.ts'
import type { Bearer } from '#src/domain/sessions/bearer.ts'
import type { Sessions } from '#src/domain/sessions/session.ts'
import type { UserId } from '#src/domain/users/user.ts'
import { createZitadelSurface } from '#src/http/zitadel/surface.ts'
import { openSqlite } from '#src/storage/sqlite/open.ts'
import { user } from '../../support/records.ts'
import { tempDir } from '../../support/temp.ts'

const janeId = '65f000000000000000000001' as UserId
export const organizationId = '170086363054473473'
const ownProjectId = 'own-project'
const start = new Date('2023-06-21T16:01:52.829Z')

const jane = user({ id: janeId, username: 'jane', createdAt: start, changedAt: start })

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly json: unknown
}

interface Sent {
  readonly method?: string
  readonly path: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

export type Surface = Awaited<ReturnType<typeof startSurface>>

/** ZITADEL's surface on a port of its own, over a store with one person. A clock that is set by hand moves a second with each write. */
export async function startSurface() {
  const stores = await openSqlite(tempDir())
  let now = start
  const domain = composeDomain({
    stores,
    secrets: ['a secret for tests of more than 32 bytes'],
    now: () => now,
  })
  const { metadata } = domain
  await stores.users.insert(jane, [], [])

  const ours = new Set([ownProjectId])
  const nobody = { ...jane, id: '65f0000000000000000000ff' as UserId }
  const bearers = new Map<string, Bearer>([
    ['jane', { user: jane, scopes: new Set(), audience: ours }],
    ['jane-elsewhere', { user: jane, scopes: new Set(), audience: new Set(['another-project']) }],
    ['manager', { user: { ...jane, id: '65f0000000000000000000fe' as UserId, admin: true }, scopes: new Set(), audience: ours }],
    ['application', { clientId: 'app', scopes: new Set(), audience: ours }],
    ['removed', { user: nobody, scopes: new Set(), audience: ours }],
  ])

  const app = new Koa()
  const failures: unknown[] = []
  app.on('error', (error) => failures.push(error))
  const needs = {
    ...domain,
    audit: stores.audit,
    issuer: 'http://localhost:8080',
    ping: () => stores.ping(),
    authorizationRequests: {} as AuthorizationRequests,
    sessions: {} as Sessions,
    async verifyBearer(token: string) {
      if (token === 'store-away') throw new StoreUnavailable('the disk is full')
      if (token === 'busy') throw new Busy('tokens')
      if (token === 'bug') throw new TypeError('a secret thing is wrong')
      return bearers.get(token)
    },
    ownProjectId: () => ownProjectId,
    managing: createManaging({ findUser: domain.users.find, ownProjectId: () => ownProjectId, exclusively: (_, work) => work() }),
    organizationId: () => organizationId,
  }
  app.use(createZitadelSurface(needs))
  app.use((ctx) => {
    ctx.body = 'somebody else'
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  /** Sends a request as Jane. A body that is neither text nor bytes is sent as JSON. */
  async function send({ method = 'GET', path, body, headers = {} }: Sent): Promise<Reply> {
    const bytes = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
    const type = bytes === undefined ? {} : { 'Content-Type': 'application/json' }
    const length = bytes === undefined ? {} : { 'Content-Length': Buffer.byteLength(bytes) }
    const outgoing = request({ port, method, path, headers: { Authorization: 'Bearer jane', ...type, ...length, ...headers } })
    outgoing.end(bytes)
    const [incoming] = await once(outgoing, 'response')
    const text = Buffer.concat(await incoming.toArray()).toString('utf8')
    const isJson = incoming.headers['content-type'] === 'application/json'
    return { status: incoming.statusCode, headers: incoming.headers, text, json: isJson && text !== '' ? JSON.parse(text) : undefined }
  }

  return {
    port,
    stores,
    metadata,
    failures,
    send,
    /** Moves the clock a second. */
    tick() {
      now = new Date(now.getTime() + 1000)
    },
    /** Gives Jane a metadata entry, a second after the last. */
    async set(key: string, value: string | Uint8Array) {
      now = new Date(now.getTime() + 1000)
      await metadata.set(janeId, [{ key, value: Buffer.from(value) }], { kind: 'system' })
    },
    get: (path: string, headers?: Record<string, string>) => send({ path, headers }),
    search: (body?: unknown, headers?: Record<string, string>) =>
      send({ method: 'POST', path: '/auth/v1/users/me/metadata/_search', body, headers }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await stores.close()
    },
  }
}
