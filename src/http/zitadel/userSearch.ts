/** Queries for users as the domain's filters: those of both versions have the same names, and the second has more of them. */
import { everybody, type TextField, type UserFilter, type UserSort } from '#src/domain/users/search.ts'
import type { UserState } from '#src/domain/users/user.ts'
import { StatusError } from './errors.ts'
import { textMethodOf } from './users.ts'

/** The oneof of a query, of whichever version. */
interface Query {
  readonly query: { readonly case?: string; readonly value?: unknown }
}

/** Each costs a pass over what the index has left. */
const mostFilters = 100
const deepest = 20

/** The numbers of ZITADEL's states that users have here. */
export const stateNumbers: Readonly<Record<UserState, number>> = { active: 1, inactive: 2, locked: 4 }
const states = new Map(Object.entries(stateNumbers).map(([state, number]) => [number, state as UserState]))

const nobody: UserFilter = { kind: 'or', filters: [] }

const texts: Readonly<Record<string, { readonly field: TextField; readonly name: string }>> = {
  userNameQuery: { field: 'username', name: 'userName' },
  // The name to sign in with is the username.
  loginNameQuery: { field: 'username', name: 'loginName' },
  firstNameQuery: { field: 'givenName', name: 'firstName' },
  lastNameQuery: { field: 'familyName', name: 'lastName' },
  nickNameQuery: { field: 'nickName', name: 'nickName' },
  displayNameQuery: { field: 'displayName', name: 'displayName' },
  emailQuery: { field: 'email', name: 'emailAddress' },
  phoneQuery: { field: 'phone', name: 'number' },
}

/** What passes all of `queries`. @throws StatusError when there are too many of them, or too deep in each other */
export function filterOf(queries: readonly Query[], organizationId: string): UserFilter {
  let count = 0

  /** The filters of one level, with each value of metadata at its key. */
  function level(each: readonly Query[], depth: number, isAnd: boolean): readonly UserFilter[] {
    count += each.length
    if (count > mostFilters || depth > deepest) throw new StatusError('invalidArgument', 'Limit exceeded', { id: 'QUERY-4M0fs' })
    const filters = each.map((query) => one(query, depth))
    return isAnd ? withValuesAtKeys(filters) : filters
  }

  function one({ query }: Query, depth: number): UserFilter {
    const { case: kind = '', value } = query as { case?: string; value: Readonly<Record<string, unknown>> }
    const text = texts[kind]
    if (text) return { kind: 'text', field: text.field, text: value[text.name] as string, method: textMethodOf(value.method as number) }
    switch (kind) {
      case 'stateQuery': {
        const state = states.get(value.state as number)
        return state ? { kind: 'state', state } : nobody
      }
      case 'typeQuery':
        return value.type === 1 || value.type === 2 ? { kind: 'type', type: value.type === 1 ? 'human' : 'machine' } : nobody
      case 'inUserIdsQuery':
        return { kind: 'ids', ids: value.userIds as readonly string[] }
      case 'inUserEmailsQuery':
        return { kind: 'emails', emails: value.userEmails as readonly string[] }
      case 'organizationIdQuery':
        return value.organizationId === organizationId ? everybody : nobody
      case 'metadataKeyFilter':
        return { kind: 'metadata', key: { text: value.key as string, method: textMethodOf(value.method as number) } }
      case 'metadataValueFilter':
        return { kind: 'metadata', value: { bytes: value.value as Uint8Array, equal: value.method === 0 } }
      case 'andQuery':
        return { kind: 'and', filters: level(value.queries as readonly Query[], depth + 1, true) }
      case 'orQuery':
        return { kind: 'or', filters: level(value.queries as readonly Query[], depth + 1, false) }
      case 'notQuery': {
        const [filter] = value.query ? level([value.query as Query], depth + 1, false) : []
        if (filter) return { kind: 'not', filter }
      }
    }
    throw new StatusError('invalidArgument', 'List query is invalid', { id: 'QUERY-Ht3Gq' })
  }

  return { kind: 'and', filters: level(queries, 1, true) }
}

type MetadataFilter = UserFilter & { readonly kind: 'metadata' }

const isMetadata = (filter: UserFilter): filter is MetadataFilter => filter.kind === 'metadata'

/** The first value with the first key, the second with the second: they are of one entry. What is left over stands alone. */
function withValuesAtKeys(filters: readonly UserFilter[]): readonly UserFilter[] {
  const about = filters.filter(isMetadata)
  const keys = about.filter(({ key }) => key)
  const values = about.filter(({ value }) => value)
  const entries = Array.from(
    { length: Math.max(keys.length, values.length) },
    (_, index): UserFilter => ({ ...keys[index], ...values[index], kind: 'metadata' }),
  )
  return [...filters.filter((filter) => !isMetadata(filter)), ...entries]
}

/** By the number of `UserFieldName`. */
const sorts: readonly UserSort[] = [
  'createdAt',
  'username',
  'givenName',
  'familyName',
  'nickName',
  'displayName',
  'email',
  'state',
  'type',
  'createdAt',
]

/** What a list of users is sorted by: the time of creation, unless it says otherwise. */
export const sortOf = (sortingColumn: number): UserSort => sorts[sortingColumn] ?? 'createdAt'
