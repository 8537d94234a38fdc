/** Sessions of sign-in pages of somebody else: `zitadel.session.v2.SessionService`. Users and passwords are what can be checked. */

import type { MessageInitShape } from '@bufbuild/protobuf'
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt'
import { TimestampQueryMethod } from '@zitadel/proto/zitadel/object_pb.js'
import type { SearchQuery, SessionSchema, UserAgent } from '@zitadel/proto/zitadel/session/v2/session_pb.js'
import { type CreateSessionRequest, SessionService, type SetSessionRequest } from '@zitadel/proto/zitadel/session/v2/session_service_pb.js'
import type { AuthorizationRequests } from '#src/domain/sessions/authorizationRequests.ts'
import {
  type LoginSession,
  type LoginSessionChange,
  type LoginSessions,
  LoginSessionTokenInvalid,
  longestLifetimeSeconds,
} from '#src/domain/sessions/loginSessions.ts'
import { isActive, type User } from '#src/domain/users/user.ts'
import type { Caller } from '../authenticate.ts'
import { StatusError } from '../errors.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { paginationOf } from '../pagination.ts'
import { existing } from '../users.ts'

export interface SessionsNeeds {
  readonly loginSessions: LoginSessions
  readonly authorizationRequests: AuthorizationRequests
}

export function sessionHandlers(needs: HandlerNeeds) {
  const { method } = SessionService
  const { loginSessions, users, checkPassword, organizationId } = needs

  const detailsOf = ({ sequence, createdAt, changedAt }: LoginSession) => ({
    sequence: BigInt(sequence),
    creationDate: timestampFromDate(createdAt),
    changeDate: timestampFromDate(changedAt),
    resourceOwner: organizationId(),
  })

  /** What a request asks to be checked, as the change that it makes of the session. @throws StatusError */
  async function checked(request: CreateSessionRequest | SetSessionRequest, before?: LoginSession): Promise<LoginSessionChange> {
    const { user: named, password, ...others } = request.checks ?? {}
    if (request.challenges?.webAuthN || request.challenges?.otpEmail || request.challenges?.otpSms) throw notChecked('challenges')
    for (const name of ['webAuthN', 'idpIntent', 'totp', 'otpSms', 'otpEmail'] as const)
      if ((others as Record<string, unknown>)[name] !== undefined) throw notChecked(name)
    const userAgent = 'userAgent' in request && request.userAgent ? userAgentOf(request.userAgent) : before?.userAgent
    const user = named ? await userOf(named.search) : undefined
    const subject = user ?? (password && before?.userId ? await existing(needs, before.userId) : undefined)
    if (subject && !isActive(subject)) throw new StatusError('failedPrecondition', 'User is not active', { id: 'SESSION-Gj4ko' })
    if (password) {
      if (!subject) throw new StatusError('failedPrecondition', 'User has not been set', { id: 'COMMAND-Sfw3f' })
      // Where the person is, the page alone knows. Without that, only the account counts.
      const address = userAgent?.ip ?? `account ${subject.id}`
      const matches = await checkPassword({ user: subject, password: password.password, address, isSignIn: true })
      if (!matches) throw new StatusError('invalidArgument', 'Password is invalid', { id: 'COMMAND-3M0fs' })
    }
    return {
      ...(user && { userId: user.id }),
      isPasswordRight: password !== undefined,
      metadata: request.metadata,
      ...(userAgent && { userAgent }),
      ...(request.lifetime && { lifetimeSeconds: lifetimeOf(request.lifetime.seconds) }),
    }
  }

  async function userOf(search: { readonly case?: string; readonly value?: string }): Promise<User> {
    const { case: by, value = '' } = search
    const user = by === 'userId' ? await existing(needs, value) : await users.findByLoginName(value)
    if (!user) throw new StatusError('notFound', 'User could not be found', { id: 'QUERY-Dfbg2' })
    return user
  }

  /** Whoever has the token may, and whoever may do everything with sessions. */
  async function assertHolds(id: string, token: string | undefined, caller: Caller): Promise<LoginSession> {
    if (token) return loginSessions.findByToken(id, token)
    const session = await loginSessions.find(id)
    if (session.creatorId !== caller.user.id && !caller.may('session.write')) throw new LoginSessionTokenInvalid()
    return session
  }

  async function messageOf(session: LoginSession): Promise<MessageInitShape<typeof SessionSchema>> {
    const { id, sequence, createdAt, changedAt, expiresAt, userId, userAt, passwordAt, metadata, userAgent } = session
    const user = userId === undefined ? undefined : await users.find(userId as User['id'])
    return {
      id,
      sequence: BigInt(sequence),
      creationDate: timestampFromDate(createdAt),
      changeDate: timestampFromDate(changedAt),
      expirationDate: timestampFromDate(expiresAt),
      ...(user &&
        userAt && {
          factors: {
            user: {
              verifiedAt: timestampFromDate(userAt),
              id: user.id,
              loginName: user.username,
              displayName: user.profile.displayName ?? user.username,
              organizationId: organizationId(),
            },
            ...(passwordAt && { password: { verifiedAt: timestampFromDate(passwordAt) } }),
          },
        }),
      metadata: metadata as Record<string, Uint8Array<ArrayBuffer>>,
      ...(userAgent && { userAgent: { ...userAgent, header: headersOf(userAgent.header) } }),
    }
  }

  return [
    handlerOf(method.listSessions, async ({ query, queries }, caller) => {
      const page = paginationOf(query)
      const passes = queries.map((each) => filterOf(each, caller))
      const isFound = (session: LoginSession) => passes.every((pass) => pass(session))
      let total = 0
      for await (const session of loginSessions.all()) if (isFound(session)) total += 1
      // They come oldest first: the newest are at the end.
      const first = page.ascending ? page.offset : Math.max(0, total - page.offset - page.limit)
      const end = page.ascending ? page.offset + page.limit : total - page.offset
      const found: LoginSession[] = []
      let index = 0
      for await (const session of loginSessions.all()) {
        if (!isFound(session)) continue
        if (index >= first && index < end) found.push(session)
        index += 1
      }
      if (!page.ascending) found.reverse()
      return {
        details: { totalResult: BigInt(total), timestamp: timestampFromDate(new Date()) },
        sessions: await Promise.all(found.map(messageOf)),
      }
    }),

    handlerOf(method.getSession, async ({ sessionId, sessionToken }) => {
      const session = sessionToken ? await loginSessions.findByToken(sessionId, sessionToken) : await loginSessions.find(sessionId)
      return { session: await messageOf(session) }
    }),

    handlerOf(method.createSession, async (request, caller) => {
      const { session, token } = await loginSessions.create(caller.user.id, await checked(request))
      return { details: detailsOf(session), sessionId: session.id, sessionToken: token }
    }),

    handlerOf(method.setSession, async (request, caller) => {
      const before = await assertHolds(request.sessionId, request.sessionToken, caller)
      const { session, token } = await loginSessions.change(before.id, await checked(request, before))
      return { details: detailsOf(session), sessionToken: token }
    }),

    handlerOf(method.deleteSession, async ({ sessionId, sessionToken }, caller) => {
      await assertHolds(sessionId, sessionToken, caller)
      return { details: detailsOf(await loginSessions.remove(sessionId)) }
    }),
  ]
}

const notChecked = (what: string) => new StatusError('unimplemented', `${what}: only a user and a password can be checked here`)

function lifetimeOf(seconds: bigint): number {
  if (seconds > 0n && seconds <= longestLifetimeSeconds) return Number(seconds)
  throw new StatusError('invalidArgument', 'The lifetime must be more than nothing, and 30 days at the most')
}

function userAgentOf({ fingerprintId, ip, description, header }: UserAgent): NonNullable<LoginSession['userAgent']> {
  return {
    ...(fingerprintId !== undefined && { fingerprintId }),
    ...(ip !== undefined && { ip }),
    ...(description !== undefined && { description }),
    header: Object.fromEntries(Object.entries(header).map(([name, { values }]) => [name, values])),
  }
}

const headersOf = (header: Readonly<Record<string, readonly string[]>>) =>
  Object.fromEntries(Object.entries(header).map(([name, values]) => [name, { values: [...values] }]))

function filterOf({ query }: SearchQuery, caller: Caller): (session: LoginSession) => boolean {
  switch (query.case) {
    case 'idsQuery': {
      const ids = new Set(query.value.ids)
      return ({ id }) => ids.has(id)
    }
    case 'userIdQuery': {
      const { id } = query.value
      return ({ userId }) => userId === id
    }
    case 'creatorQuery': {
      const id = query.value.id ?? caller.user.id
      return ({ creatorId }) => creatorId === id
    }
    case 'userAgentQuery': {
      const { fingerprintId } = query.value
      return ({ userAgent }) => userAgent?.fingerprintId === fingerprintId
    }
    case 'creationDateQuery': {
      const { creationDate, method } = query.value
      const asked = creationDate ? timestampDate(creationDate).getTime() : 0
      return ({ createdAt }) => comparisons[method](createdAt.getTime(), asked)
    }
    default:
      return () => true
  }
}

const comparisons: Readonly<Record<TimestampQueryMethod, (at: number, asked: number) => boolean>> = {
  [TimestampQueryMethod.EQUALS]: (at, asked) => at === asked,
  [TimestampQueryMethod.GREATER]: (at, asked) => at > asked,
  [TimestampQueryMethod.GREATER_OR_EQUALS]: (at, asked) => at >= asked,
  [TimestampQueryMethod.LESS]: (at, asked) => at < asked,
  [TimestampQueryMethod.LESS_OR_EQUALS]: (at, asked) => at <= asked,
}
