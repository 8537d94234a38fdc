/** Facebook, which speaks OAuth 2.0 and its Graph API: `/me?fields=`, and `/debug_token` for tokens that an application brings. */
import { createHmac } from 'node:crypto'
import { type IdentityProvider, ProviderRefused, type ProviderSettings, type Told } from '#src/domain/federation/provider.ts'
import type { OutboundFetch } from './openIdConnect.ts'

const version = 'v19.0'
const fields = 'id,name,first_name,last_name,picture,gender,birthday,age_range,email'
const scope = 'public_profile,email'
const timeoutMs = 5000

type Answer = Readonly<Record<string, unknown>>

export function createFacebook({ fetch }: { readonly fetch: OutboundFetch }): IdentityProvider {
  const graph = ({ issuer = 'https://graph.facebook.com' }: ProviderSettings) => `${issuer.replace(/\/$/, '')}/${version}`
  const dialog = ({ issuer = 'https://www.facebook.com' }: ProviderSettings) => `${issuer.replace(/\/$/, '')}/${version}/dialog/oauth`

  async function ask(address: string, parameters: Readonly<Record<string, string>>): Promise<Answer> {
    const reply = await fetch(`${address}?${new URLSearchParams(parameters)}`, {
      redirect: 'error',
      timeoutMs,
      headers: { accept: 'application/json' },
    }).catch((error: Error) => {
      throw new ProviderRefused(`Facebook cannot be reached: ${error.message}`, { cause: error })
    })
    const answer = (await reply.json().catch(() => ({}))) as Answer
    if (reply.status === 200) return answer
    const { message } = (answer.error ?? {}) as { message?: unknown }
    throw new ProviderRefused(`Facebook does not vouch for this login: ${typeof message === 'string' ? message : `status ${reply.status}`}`)
  }

  /** Whom a token is about that is known to be for this client. */
  async function me(settings: ProviderSettings, accessToken: string): Promise<Told> {
    const proof = settings.clientSecret && createHmac('sha256', settings.clientSecret).update(accessToken).digest('hex')
    const answer = await ask(`${graph(settings)}/me`, { fields, access_token: accessToken, ...(proof && { appsecret_proof: proof }) })
    const { id, picture, age_range: ages, ...told } = answer
    if (typeof id !== 'string' || id === '') throw new ProviderRefused('Facebook did not say whom the token is about')
    const { min, max } = (ages ?? {}) as { min?: unknown; max?: unknown }
    const { url } = ((picture as { data?: unknown } | undefined)?.data ?? {}) as { url?: unknown }
    return { ...told, sub: id, picture: url, min_age: min, max_age: max }
  }

  async function byAccessToken(settings: ProviderSettings, accessToken: string): Promise<Told> {
    // A token that another application got says who somebody is, and not that they are here.
    const asker = `${settings.clientId}|${settings.clientSecret ?? ''}`
    const { data } = await ask(`${graph(settings)}/debug_token`, { input_token: accessToken, access_token: asker })
    const { app_id: app, is_valid: isValid } = (data ?? {}) as { app_id?: unknown; is_valid?: unknown }
    if (isValid !== true || String(app) !== settings.clientId)
      throw new ProviderRefused('the access token was not made for this application')
    return me(settings, accessToken)
  }

  return {
    addressOf: async (settings, { redirectUri, state }) =>
      `${dialog(settings)}?${new URLSearchParams({ client_id: settings.clientId, redirect_uri: redirectUri, state, scope, response_type: 'code' })}`,

    async answered(settings, { redirectUri }, parameters) {
      const code = parameters.get('code')
      if (!code)
        throw new ProviderRefused(
          `Facebook does not vouch for this login: ${parameters.get('error_description') ?? parameters.get('error') ?? 'it gave no code'}`,
        )
      const { access_token: token } = await ask(`${graph(settings)}/oauth/access_token`, {
        client_id: settings.clientId,
        client_secret: settings.clientSecret ?? '',
        redirect_uri: redirectUri,
        code,
      })
      if (typeof token !== 'string') throw new ProviderRefused('Facebook gave no access token')
      return me(settings, token)
    },

    byAccessToken,
  }
}
