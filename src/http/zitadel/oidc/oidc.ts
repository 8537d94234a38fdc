/** Authorization requests that a sign-in page of somebody else answers: `zitadel.oidc.v2.OIDCService`. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { ErrorReason, Prompt } from '@zitadel/proto/zitadel/oidc/v2/authorization_pb.js'
import { OIDCService, type Session } from '@zitadel/proto/zitadel/oidc/v2/oidc_service_pb.js'
import type { SignedInPerson } from '#src/domain/sessions/authorizationRequests.ts'
import { isActive } from '#src/domain/users/user.ts'
import { StatusError } from '../errors.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { existing } from '../users.ts'

export function oidcHandlers(needs: HandlerNeeds) {
  const { method } = OIDCService
  const { authorizationRequests, loginSessions, organizationId } = needs

  /** Whom a session stands for, once they have proved it. @throws StatusError, LoginSessionNotFound, LoginSessionTokenInvalid */
  async function personOf({ sessionId, sessionToken }: Session): Promise<SignedInPerson> {
    const { userId, passwordAt } = await loginSessions.findByToken(sessionId, sessionToken)
    if (userId === undefined || !passwordAt) {
      throw new StatusError('failedPrecondition', 'The session has no user who has proved who they are', { id: 'OIDC-SJ23x' })
    }
    if (!isActive(await existing(needs, userId))) throw new StatusError('failedPrecondition', 'User is not active', { id: 'OIDC-kj3g2' })
    return { userId, signedInAt: passwordAt, amr: ['pwd'] }
  }

  return [
    handlerOf(method.getAuthRequest, async ({ authRequestId }) => {
      const { createdAt, scopes, prompts, uiLocales, maxAgeSeconds, ...request } = await authorizationRequests.find(authRequestId)
      return {
        authRequest: {
          ...request,
          creationDate: timestampFromDate(createdAt),
          scope: [...scopes],
          prompt: prompts.map((prompt) => Prompt[prompt.toUpperCase() as keyof typeof Prompt] ?? Prompt.UNSPECIFIED),
          uiLocales: [...uiLocales],
          ...(maxAgeSeconds !== undefined && { maxAge: { seconds: BigInt(maxAgeSeconds) } }),
        },
      }
    }),

    handlerOf(method.createCallback, async ({ authRequestId, callbackKind }) => {
      const details = { changeDate: timestampFromDate(new Date()), resourceOwner: organizationId() }
      if (callbackKind.case === 'session') {
        // Whether there is such a request is known before the session is looked at.
        await authorizationRequests.find(authRequestId)
        return { details, callbackUrl: await authorizationRequests.complete(authRequestId, await personOf(callbackKind.value)) }
      }
      if (callbackKind.case !== 'error') throw new StatusError('invalidArgument', 'callback_kind: a session or an error is needed')
      const { error, errorDescription } = callbackKind.value
      return { details, callbackUrl: await authorizationRequests.refuse(authRequestId, errorOf(error), errorDescription) }
    }),

    handlerOf(method.getDeviceAuthorizationRequest, async ({ userCode }) => {
      const { scopes, applicationName, ...request } = await authorizationRequests.findDevice(userCode)
      return { deviceAuthorizationRequest: { ...request, scope: [...scopes], appName: applicationName } }
    }),

    handlerOf(method.authorizeOrDenyDeviceAuthorization, async ({ deviceAuthorizationId, decision }) => {
      if (decision.case === 'session') await authorizationRequests.completeDevice(deviceAuthorizationId, await personOf(decision.value))
      else if (decision.case === 'deny') await authorizationRequests.refuseDevice(deviceAuthorizationId)
      else throw new StatusError('invalidArgument', 'decision: a session or a denial is needed')
      return {}
    }),
  ]
}

/** OAuth's word for a reason. */
function errorOf(reason: ErrorReason): string {
  if (reason === ErrorReason.UNSPECIFIED) return 'access_denied'
  return reason === ErrorReason.TEMPORARY_UNAVAILABLE ? 'temporarily_unavailable' : (ErrorReason[reason]?.toLowerCase() ?? 'server_error')
}
