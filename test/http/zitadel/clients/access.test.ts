/** Who may call what: every RPC that is served refuses everybody who may not, in ZITADEL's words. */
import { getOption, ScalarType } from '@bufbuild/protobuf'
import { auth_option } from '@zitadel/proto/zitadel/options_pb.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newObjectId } from '#src/base/ids.ts'
import { hashSecret } from '#src/domain/users/secrets.ts'
import type { UserId } from '#src/domain/users/user.ts'
import { createHandlers, type HandlerNeeds, servedServices } from '#src/http/zitadel/handlers.ts'
import { type Idp, startIdp } from '../../../support/idp.ts'
import { signIn } from '../../../support/relyingParty.ts'
import { managerOf } from './api.ts'

const rpcs = (
  await Promise.all(
    servedServices.map(async (service) => [...(await createHandlers({} as HandlerNeeds)(service)).values()].map(({ rpc }) => rpc)),
  )
).flat()

let idp: Idp
/** Tokens by what their owner holds. */
let tokens: Readonly<Record<string, string>>

beforeAll(async () => {
  idp = await startIdp()
  const of = async (...roles: string[]) => (await managerOf(idp, roles)).token
  const expired = { id: newObjectId(new Date()), name: 'old', createdAt: new Date(0), expiresAt: new Date(1) }
  const { id } = await managerOf(idp, ['IAM_OWNER'])
  await idp.domain.stores.tokens.insert({ ...expired, userId: id as UserId, hash: hashSecret('pat_expired') }, [])
  const { tokens: elsewhere } = await signIn(idp)
  tokens = {
    expired: 'pat_expired',
    elsewhere: elsewhere.access_token,
    stranger: await of(),
    owner: await of('IAM_OWNER'),
    viewer: await of('IAM_OWNER_VIEWER'),
    organization: await of('ORG_OWNER'),
    users: await of('ORG_USER_MANAGER'),
    projects: await of('PROJECT_OWNER'),
  }
})
afterAll(() => idp[Symbol.asyncDispose]())

const isOwn = (rpc: (typeof rpcs)[number]) => rpc.parent.typeName.startsWith('zitadel.auth.')
const isFirst = (rpc: (typeof rpcs)[number]) => rpc.parent.typeName.includes('.v1.')
/** Those for whoever has a token; of one the descriptor says nothing. */
const isOpen = (rpc: (typeof rpcs)[number]) =>
  isOwn(rpc) || getOption(rpc, auth_option).permission === 'authenticated' || rpc.name === 'GetOIDCInformation'
const reads = (name: string) => /^(?:Get|List|Search|Is)/.test(name)

async function call(rpc: (typeof rpcs)[number], token: string | undefined, body: object = {}) {
  const reply = await fetch(idp.url(`/${rpc.parent.typeName}/${rpc.name}`), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(token !== undefined && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  })
  return { status: reply.status, ...((await reply.json()) as { code?: string; message?: string }) }
}

const refusedToV1 = { status: 403, code: 'permission_denied', message: 'No matching permissions found (AUTH-5mWD2)' }

describe.each(rpcs.map((rpc) => ({ name: `${rpc.parent.typeName}/${rpc.name}`, rpc })))('$name', ({ rpc }) => {
  test('is for nobody without a token, with a bad or an old one, or with one for somebody else', async () => {
    expect(await call(rpc, undefined)).toEqual({ status: 401, code: 'unauthenticated', message: 'auth header missing' })
    for (const token of ['bad', tokens.expired as string]) {
      expect(await call(rpc, token)).toMatchObject({ status: 401, code: 'unauthenticated', message: 'Token is invalid (AUTH-7fs1e)' })
    }
    expect(await call(rpc, tokens.elsewhere)).toMatchObject({ status: 401, message: 'invalid audience (APP-Zxfako)' })
  })

  test.skipIf(isOpen(rpc))('is not for a stranger', async () => {
    const expected = isFirst(rpc) ? refusedToV1 : { status: 404, code: 'not_found', message: 'membership not found (AUTHZ-cdgFk)' }
    expect(await call(rpc, tokens.stranger)).toMatchObject(expected)
  })

  test('is for an owner, and for those whose role has the right', async () => {
    const isForbidden = async (role: string) => {
      const { status, message = '' } = await call(rpc, tokens[role])
      if (status === 403) expect(message).toMatch(isFirst(rpc) ? /\(AUTH-5mWD2\)$/ : /\(AUTH-AWfge\)$/)
      return status === 403
    }
    expect(await isForbidden('owner')).toBe(false)
    if (isOpen(rpc)) return
    expect(await isForbidden('viewer')).toBe(!reads(rpc.name))
    // A role that manages people alone changes no project, and the other way round.
    const aboutPeople = /User|Human|Machine|PersonalAccessToken|Metadata/.test(rpc.name) && !/Project|App|Grant|Org/.test(rpc.name)
    if (aboutPeople && !reads(rpc.name)) {
      expect([await isForbidden('users'), await isForbidden('projects')]).toEqual([false, true])
    }
    if (/App|Project/.test(rpc.name) && !reads(rpc.name)) {
      expect(await isForbidden('users')).toBe(true)
      // Whoever manages projects makes none.
      expect(await isForbidden('projects')).toBe(/^(?:Add|Create)Project$/.test(rpc.name))
    }
    if (/UserGrant|^(?:List|Create|Update|Delete|Activate|Deactivate)Authorization/.test(rpc.name))
      expect([await isForbidden('users'), await isForbidden('projects')]).toEqual([false, false])
  })

  test('refuses nonsense before anything is done', async () => {
    const [field] = rpc.input.fields.filter((each) => each.fieldKind === 'scalar' && each.scalar === ScalarType.STRING)
    if (!field) return
    const { status } = await call(rpc, tokens.owner, { [field.jsonName]: { not: 'text' } })
    expect(status).toBe(400)
  })
})
