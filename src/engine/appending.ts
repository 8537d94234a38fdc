/** What targets of the operator's add to claims: the engine's side of the functions of the domain's actions. */
import type { Provider } from 'oidc-provider'
import { type ActionFunction, ActionInterrupted } from '#src/domain/actions/action.ts'
import type { Functions } from '#src/domain/actions/functions.ts'
import type { CallOut } from '#src/domain/actions/run.ts'
import { heldIn } from '#src/domain/applications/heldRoles.ts'
import type { Users } from '#src/domain/users/users.ts'
import type { SignAccessToken } from './accessTokens.ts'
import type { Append, ClaimSources, Claims } from './claims.ts'
import type { SignIdToken } from './idTokens.ts'
import { errors, fetchGuarded } from './internals.ts'
import { readAtMost, type WithTimeout } from './outbound.ts'

const longestAnswer = 1024 * 1024

/** Calls out as the engine does: to private networks only where the operator's list says so, and following no redirect. */
export const createCallOut =
  (provider: () => Provider): CallOut =>
  async ({ url, body, headers, timeoutMs }) => {
    const options: WithTimeout = { method: 'POST', body, headers: { ...headers }, redirect: 'error', timeoutMs }
    const reply = await fetchGuarded(provider(), url, options)
    return { status: reply.status, body: await readAtMost(reply, longestAnswer) }
  }

/** Answers what is to be added to `claims`, or at once that nobody is asked. It throws an error of OAuth when a target interrupts. */
export function createAppend({ functions, users }: { functions: Functions; users: Pick<Users, 'findWithMetadata'> }): Append {
  async function call(
    name: ActionFunction,
    { user, root: { organization, projects }, view }: ClaimSources,
    claims: Claims,
  ): Promise<Claims> {
    const { metadata = [] } = (await users.findWithMetadata(user.id)) ?? {}
    const payload = {
      userinfo: claims,
      user: {
        id: user.id,
        creation_date: user.createdAt,
        change_date: user.changedAt,
        resource_owner: organization.id,
        sequence: user.sequence,
        state: user.state === 'active' ? 1 : 2,
        username: user.username,
        preferred_login_name: user.username,
        login_names: [user.username],
        ...(user.kind === 'human' && {
          human: {
            first_name: user.profile.givenName,
            last_name: user.profile.familyName,
            nick_name: user.profile.nickName,
            display_name: user.profile.displayName,
            preferred_language: user.profile.locale,
            email: user.profile.email,
            is_email_verified: user.profile.emailVerified ?? false,
            phone: user.profile.phone,
            is_phone_verified: user.profile.phoneVerified ?? false,
          },
        }),
      },
      user_metadata: metadata.map(({ key, value, sequence, createdAt, changedAt }) => ({
        creation_date: createdAt,
        change_date: changedAt,
        resource_owner: organization.id,
        sequence,
        key,
        value: Buffer.from(value).toString('base64'),
      })),
      org: { id: organization.id, name: organization.name, primary_domain: organization.primaryDomain },
      user_grants: Object.keys(user.roles)
        .map((projectId) => ({ project_id: projectId, roles: heldIn(user, projects.get(projectId)), user_id: user.id }))
        .filter(({ roles }) => roles.length > 0),
      ...(view && { application: { client_id: view.application.clientId } }),
    }
    try {
      return await functions.append(name, { userId: user.id, claims, payload })
    } catch (error) {
      throw error instanceof ActionInterrupted ? new errors.AccessDenied(error.message) : error
    }
  }
  return (name, sources, claims) => (functions.isUsed(name) ? call(name, sources, claims) : undefined)
}

/** JWT access tokens with what is added to them. */
export const appendingToAccessTokens =
  (sign: SignAccessToken, append: Append): SignAccessToken =>
  (token, request, sources) => {
    const { user } = sources
    const appending = user && append('preaccesstoken', { ...sources, user }, {})
    return appending ? appending.then((appended) => sign(token, request, { ...sources, appended })) : sign(token, request, sources)
  }

/** ID tokens with what is added to them. */
export const appendingToIdTokens =
  (sign: SignIdToken, append: Append): SignIdToken =>
  (request) => {
    const appending = append('preuserinfo', request.sources, {})
    return appending ? appending.then((appended) => sign({ ...request, sources: { ...request.sources, appended } })) : sign(request)
  }
