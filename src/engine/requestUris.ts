import { errors, fetchGuarded, type Step } from './internals.ts'
import { readAtMost } from './outbound.ts'

const pushed = 'urn:ietf:params:oauth:request_uri:'
const longest = 64 * 1024

/**
 * Request objects by reference (RFC 9101, section 5.2), which the engine has for pushed requests only: the address must be one that the
 * application has registered, and what is there goes on as if it had come by value.
 */
export const requestByReference = (original: Step): Step =>
  async function loadPushedAuthorizationRequest(ctx, next) {
    const { params, client, provider } = ctx.oidc
    const uri = params?.request_uri
    if (!params || typeof uri !== 'string' || uri.startsWith(pushed)) return original(ctx, next)
    if (params.request !== undefined) throw new errors.InvalidRequest('request and request_uri must not be used together')
    const registered = (client?.request_uris ?? []) as readonly string[]
    if (!registered.includes(uri)) throw new errors.InvalidRequestUri('request_uri is not one that the client has registered')
    params.request = await fetched(provider, uri)
    params.request_uri = undefined
    return next()
  }

async function fetched(provider: Parameters<typeof fetchGuarded>[0], uri: string): Promise<string> {
  let reply: Response
  try {
    const headers = { accept: 'application/oauth-authz-req+jwt, application/jwt' }
    reply = await fetchGuarded(provider, uri.split('#')[0] as string, { method: 'GET', headers, redirect: 'error' })
    if (reply.status !== 200) throw new Error(`it answered ${reply.status}`)
    const text = await readAtMost(reply, longest)
    return text.trim()
  } catch (cause) {
    throw new errors.InvalidRequestUri('request_uri could not be fetched', (cause as Error).message)
  }
}
