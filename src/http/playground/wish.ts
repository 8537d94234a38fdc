/** What somebody wants to ask an application's authorization request to be, as it stands in the form and in the address of the page. */

export interface Wish {
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly prompt: string
  readonly responseMode: string
  readonly usesPkce: boolean
  /** JSON of the `claims` parameter. */
  readonly claims: string
  /** Other parameters, a line each: `name=value`. */
  readonly others: string
}

/** Scopes that stand beside a box to tick; any other is typed. */
export const knownScopes = [
  'openid',
  'profile',
  'email',
  'phone',
  'address',
  'offline_access',
  'urn:zitadel:iam:user:metadata',
  'urn:zitadel:iam:user:resourceowner',
  'urn:zitadel:iam:org:projects:roles',
  'urn:zitadel:iam:org:project:id:zitadel:aud',
  'custom_data',
  'user_metadata',
] as const

export const prompts = ['', 'none', 'login', 'consent', 'select_account', 'create'] as const
export const responseModes = ['', 'query', 'form_post', 'fragment', 'query.jwt', 'form_post.jwt'] as const

const usualScopes = ['openid', 'profile', 'email', 'urn:zitadel:iam:user:metadata', 'urn:zitadel:iam:org:project:id:zitadel:aud']

/** Parameters that the playground makes itself. */
const ours = new Set(
  'client_id redirect_uri response_type scope prompt response_mode claims state nonce code_challenge code_challenge_method'.split(' '),
)

/** Reads the parameters of the page; without any, what most people want. */
export function readWish(parameters: URLSearchParams, ownClientId: string): Wish {
  const isNew = !parameters.has('client_id')
  const one = <T extends string>(name: string, allowed: readonly T[]): T => {
    const value = parameters.get(name) ?? ''
    return (allowed as readonly string[]).includes(value) ? (value as T) : (allowed[0] as T)
  }
  const typed = (parameters.get('more_scopes') ?? '').split(/\s+/)
  return {
    clientId: (parameters.get('client_id') ?? '').trim() || ownClientId,
    scopes: isNew ? usualScopes : [...new Set([...parameters.getAll('scope'), ...typed])].filter(Boolean),
    prompt: one('prompt', prompts),
    responseMode: one('response_mode', responseModes),
    usesPkce: isNew || parameters.get('pkce') === 'on',
    claims: (parameters.get('claims') ?? '').trim(),
    others: (parameters.get('others') ?? '').trim(),
  }
}

/** The parameters that `readWish` reads as `wish`. */
export function queryOf({ clientId, scopes, prompt, responseMode, usesPkce, claims, others }: Wish): URLSearchParams {
  const parameters = new URLSearchParams({ client_id: clientId, prompt, response_mode: responseMode, claims, others })
  for (const scope of scopes) parameters.append('scope', scope)
  if (usesPkce) parameters.set('pkce', 'on')
  return parameters
}

/** A fault of a wish, as a key in `playground.json`, with the field that it is about. */
export interface WishFault {
  readonly field: 'claims' | 'others'
  readonly text: string
}

/** What is wrong with a wish; nothing for most, since trying what a server refuses is what a playground is for. */
export function faultsOf({ claims, others }: Wish): readonly WishFault[] {
  const faults: WishFault[] = []
  if (claims !== '' && !isObject(claims)) faults.push({ field: 'claims', text: 'playground.fault.claims' })
  const names = others.split('\n').filter((line) => line.trim() !== '')
  if (names.some((line) => !/^\s*[\w.-]+=/.test(line) || ours.has(line.slice(0, line.indexOf('=')).trim())))
    faults.push({ field: 'others', text: 'playground.fault.others' })
  return faults
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return value !== null && typeof value === 'object' && !Array.isArray(value)
  } catch {
    return false
  }
}

/** What makes a request answerable once. */
export interface Once {
  readonly state: string
  readonly nonce: string
  readonly challenge: string
}

/** The parameters of the authorization request. */
export function parametersOf(wish: Wish, redirectUri: string, { state, nonce, challenge }: Once): URLSearchParams {
  const parameters = new URLSearchParams({
    client_id: wish.clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: wish.scopes.join(' '),
  })
  if (wish.prompt) parameters.set('prompt', wish.prompt)
  if (wish.responseMode) parameters.set('response_mode', wish.responseMode)
  if (wish.claims) parameters.set('claims', JSON.stringify(JSON.parse(wish.claims)))
  for (const line of wish.others.split('\n').filter((each) => each.includes('='))) {
    parameters.append(line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1).trim())
  }
  parameters.set('state', state)
  parameters.set('nonce', nonce)
  if (wish.usesPkce) {
    parameters.set('code_challenge', challenge)
    parameters.set('code_challenge_method', 'S256')
  }
  return parameters
}
