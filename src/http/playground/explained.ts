/** What the claims of a token say, and which scope or switch put them there. */
import type { Texts } from '../kit/messages.ts'

/** Where a claim came from. `userinfo` is everything that is asked for at userinfo and, with the switch, in the ID token. */
type Origin = 'always' | 'userinfo' | 'roles' | 'request'

interface Known {
  /** A key in `playground.json`, after `claim.`. */
  readonly text: string
  readonly origin: Origin
  readonly scope?: string
}

const byScope = (scope: string, ...names: readonly string[]): readonly (readonly [string, Known])[] =>
  names.map((name) => [name, { text: name, origin: 'userinfo', scope }])
const always = (...names: readonly string[]): readonly (readonly [string, Known])[] =>
  names.map((name) => [name, { text: name, origin: 'always' }])

const known: ReadonlyMap<string, Known> = new Map([
  ...always(
    'iss',
    'sub',
    'aud',
    'exp',
    'iat',
    'nbf',
    'jti',
    'auth_time',
    'amr',
    'acr',
    'azp',
    'client_id',
    'scope',
    'sid',
    'at_hash',
    'c_hash',
    's_hash',
  ),
  ...always('token_type', 'active', 'username', 'act', 'cnf'),
  ['nonce', { text: 'nonce', origin: 'request' }] as const,
  ...byScope('profile', 'name', 'given_name', 'family_name', 'nickname', 'preferred_username', 'picture', 'gender', 'locale', 'updated_at'),
  ...byScope('email', 'email', 'email_verified'),
  ...byScope('phone', 'phone_number', 'phone_number_verified'),
  ...byScope('address', 'address'),
  ...byScope('custom_data', 'custom_data'),
  ...byScope('user_metadata', 'user_metadata'),
  ['urn:zitadel:iam:user:metadata', { text: 'metadata', origin: 'userinfo', scope: 'urn:zitadel:iam:user:metadata' }] as const,
])

const patterns: readonly (readonly [RegExp, Known])[] = [
  [/^urn:zitadel:iam:org:project:(?:[^:]+:)?roles$/, { text: 'roles', origin: 'roles' }],
  [/^urn:zitadel:iam:user:resourceowner:/, { text: 'resourceOwner', origin: 'userinfo', scope: 'urn:zitadel:iam:user:resourceowner' }],
  [/^urn:zitadel:iam:org:id$/, { text: 'organization', origin: 'userinfo', scope: 'urn:zitadel:iam:org:id:…' }],
]

/** Claims that a decoder in the browser is told of, beside the patterns. */
export const knownClaims: readonly string[] = [...known.keys()]

export type TokenKind = 'idToken' | 'accessToken' | 'userinfo' | 'introspection'

export interface Explained {
  readonly name: string
  /** As text: JSON where it is not text already. */
  readonly value: string
  /** Metadata in readable form, a time as a moment. */
  readonly readable?: string
  readonly meaning: string
  readonly origin: string
}

/** Each claim with what it means and where it comes from. */
export function explain(texts: Texts, claims: Readonly<Record<string, unknown>>, kind: TokenKind): readonly Explained[] {
  return Object.entries(claims).map(([name, value]) => ({
    name,
    value: typeof value === 'string' ? value : JSON.stringify(value, null, 1),
    ...readableOf(texts, name, value),
    ...describe(texts, name, kind),
  }))
}

/** What a claim of this name means, and where it comes from in a token of this kind. */
export function describe({ t }: Pick<Texts, 't'>, name: string, kind: TokenKind): { readonly meaning: string; readonly origin: string } {
  const found = known.get(name) ?? patterns.find(([pattern]) => pattern.test(name))?.[1]
  if (!found) return { meaning: t('playground.claim.other'), origin: t('playground.origin.other') }
  return { meaning: t(`playground.claim.${found.text}`), origin: originOf(t, found, kind) }
}

function originOf(t: Texts['t'], { origin, scope = '' }: Known, kind: TokenKind): string {
  if (origin === 'userinfo') return t(kind === 'idToken' ? 'playground.origin.scopeAndSwitch' : 'playground.origin.scope', { scope })
  if (origin === 'roles') return t(`playground.origin.roles.${kind}`)
  return t(`playground.origin.${origin}`)
}

const times = new Set(['exp', 'iat', 'nbf', 'auth_time', 'updated_at'])

function readableOf({ moment }: Pick<Texts, 'moment'>, name: string, value: unknown): { readonly readable?: string } {
  if (times.has(name) && typeof value === 'number') return { readable: moment(new Date(value * 1000)) }
  if (name !== 'urn:zitadel:iam:user:metadata' || value === null || typeof value !== 'object') return {}
  const lines = Object.entries(value).map(([key, text]) => `${key} = ${Buffer.from(String(text), 'base64url').toString('utf8')}`)
  return { readable: lines.join('\n') }
}

/** The parts of a JWT that anybody can read; `undefined` for what is none. */
export function decode(
  token: string,
): { readonly header: Readonly<Record<string, unknown>>; readonly payload: Readonly<Record<string, unknown>> } | undefined {
  const [header = '', payload = '', signature] = token.split('.')
  if (signature === undefined) return undefined
  try {
    const part = (text: string) => JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Readonly<Record<string, unknown>>
    return { header: part(header), payload: part(payload) }
  } catch {
    return undefined
  }
}
