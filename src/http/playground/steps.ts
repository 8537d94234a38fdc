/** What follows the answer to an authorization request: tokens, userinfo, the metadata search and introspection, each as it was asked and answered. */
import { curlLine, type ShownRequest, secretVariable, sentOf } from '../kit/curl.ts'

/** Sends a request to the server in this process. */
export type SendWithin = (address: string, sent: ReturnType<typeof sentOf>) => Promise<Response>

export interface Step {
  /** A key in `playground.json`, after `step.`. */
  readonly name: 'token' | 'userinfo' | 'search' | 'introspection'
  readonly curl: string
  readonly status: number
  /** Indented, where it is JSON. */
  readonly reply: string
  readonly json?: Readonly<Record<string, unknown>>
}

/** What the steps need to know of the run. */
export interface Run {
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUri: string
  readonly code: string
  readonly verifier: string
  readonly usesPkce: boolean
}

/** Takes the steps one after the other, as far as there are tokens. The secret is sent, and not shown. */
export async function takeSteps(issuer: string, send: SendWithin, run: Run): Promise<readonly Step[]> {
  async function step(name: Step['name'], request: ShownRequest): Promise<Step> {
    const reply = await send(request.address, sentOf(request))
    const text = await reply.text()
    const shown = { ...request, ...(request.basic && { basic: [request.basic[0], secretVariable] as const }) }
    return { name, curl: curlLine(shown), status: reply.status, ...readJson(text) }
  }

  const basic = run.clientSecret === '' ? {} : { basic: [run.clientId, run.clientSecret] as const }
  const named: Readonly<Record<string, string>> = run.clientSecret === '' ? { client_id: run.clientId } : {}
  const token = await step('token', {
    method: 'POST',
    address: `${issuer}/oauth/v2/token`,
    ...basic,
    form: {
      ...named,
      grant_type: 'authorization_code',
      code: run.code,
      redirect_uri: run.redirectUri,
      ...(run.usesPkce && { code_verifier: run.verifier }),
    },
  })
  const bearer = token.json?.access_token
  if (typeof bearer !== 'string') return [token]
  const steps = [
    token,
    await step('userinfo', { method: 'GET', address: `${issuer}/oidc/v1/userinfo`, bearer }),
    await step('search', { method: 'POST', address: `${issuer}/auth/v1/users/me/metadata/_search`, bearer, json: {} }),
  ]
  // Who does not prove who they are is not told of tokens (RFC 7662, section 2.1).
  if (run.clientSecret === '') return steps
  return [
    ...steps,
    await step('introspection', { method: 'POST', address: `${issuer}/oauth/v2/introspect`, ...basic, form: { token: bearer } }),
  ]
}

function readJson(text: string): Pick<Step, 'reply' | 'json'> {
  try {
    const json = JSON.parse(text) as Readonly<Record<string, unknown>>
    return { reply: JSON.stringify(json, null, 2), json }
  } catch {
    return { reply: text }
  }
}
