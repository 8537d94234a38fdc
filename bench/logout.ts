/** Sign-outs that reach a hundred applications: the sessions to end, and the applications, which are one server in the driver. */
import { createServer } from 'node:http'
import { epochSeconds } from '#src/base/clock.ts'
import { newSecret } from '#src/base/ids.ts'
import type { Domain } from '#src/compose.ts'
import { hashSecret } from '#src/domain/users/secrets.ts'
import type { UserId } from '#src/domain/users/user.ts'
import { application, project } from '../test/support/records.ts'
import { inBatches } from './batches.ts'

const applicationsOfSession = 100

export interface LogoutSession {
  readonly id: string
  readonly userId: string
  /** A token of the user, who ends the session. */
  readonly token: string
}

/** Writes the applications, in a project of their own, and for each of `tokens` a session of its user that all of them are in. */
export async function logoutSessionsFor(
  { stores, catalogue, now }: Domain,
  port: number,
  users: readonly { readonly userId: UserId; readonly token: string }[],
): Promise<readonly LogoutSession[]> {
  const told = project({ name: 'Told' })
  const applications = Array.from({ length: applicationsOfSession }, (_, index) =>
    application({
      projectId: told.id,
      name: `told-${index}`,
      clientSecretHash: hashSecret(newSecret()),
      idTokenSignedResponseAlg: 'ES256',
      backChannelLogoutUri: `http://127.0.0.1:${port}/logout`,
    }),
  )
  await catalogue.commit({ putProjects: [told], putApplications: applications, events: [] })
  return inBatches(users, 50, async ({ userId, token }) => {
    const [jti, uid] = [newSecret(), newSecret()]
    const iat = epochSeconds(now())
    const authorizations = Object.fromEntries(applications.map(({ clientId }) => [clientId, { sid: newSecret() }]))
    const payload = { iat, exp: iat + 86_400, jti, kind: 'Session', uid, accountId: userId, loginTs: iat, authorizations }
    const expiresAt = new Date(now().getTime() + 86_400_000)
    await stores.artifacts.put({ model: 'Session', id: jti, payload, expiresAt, uid, accountId: userId })
    return { id: uid, userId, token }
  })
}

/** The hundred applications: answers who was told how often, by the `sub` of the logout token. */
export function startApplications(port: number): (userId: string) => Promise<void> {
  const told = new Map<string, number>()
  const waiting = new Map<string, () => void>()
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    response.end()
    const token = new URLSearchParams(body).get('logout_token') ?? ''
    const { sub } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { sub: string }
    const count = (told.get(sub) ?? 0) + 1
    told.set(sub, count)
    if (count === applicationsOfSession) waiting.get(sub)?.()
  })
  server.listen(port, '127.0.0.1')
  return (userId) =>
    (told.get(userId) ?? 0) >= applicationsOfSession ? Promise.resolve() : new Promise((resolve) => waiting.set(userId, resolve))
}
