/** Searches for users as MongoDB's filters. */

import type { Filter, Sort } from 'mongodb'
import type { TextMethod } from '#src/base/text.ts'
import { regardsCase, type TextField, type UserFilter, type UserSearch, type UserSort } from '#src/domain/users/search.ts'
import { comparable, type UserId } from '#src/domain/users/user.ts'
import { escaped, tagOfKey, tagOfValue } from './metadataTag.ts'
import type { UserDocument } from './userDocument.ts'

type Conditions = Filter<UserDocument>

interface Match {
  readonly text: string
  readonly method: TextMethod
}

const fields: Readonly<Record<TextField, string>> = {
  username: 'user.username',
  email: 'user.profile.email',
  phone: 'user.profile.phone',
  givenName: 'user.profile.givenName',
  familyName: 'user.profile.familyName',
  nickName: 'user.profile.nickName',
  displayName: 'user.profile.displayName',
}

/** Fields with the comparable form of another, under an index. */
const keys: Partial<Readonly<Record<TextField, string>>> = { username: 'usernameKey', email: 'emailSearch' }

const sorts: Readonly<Record<UserSort, string>> = {
  ...fields,
  createdAt: 'user.createdAt',
  username: 'usernameKey',
  email: 'emailSearch',
  state: 'user.state',
  type: 'user.kind',
}

export function sortOf({ sort, ascending }: UserSearch): Sort {
  const direction = ascending ? 1 : -1
  return { [sorts[sort]]: direction, _id: direction }
}

export function filterOf(filter: UserFilter): Conditions {
  switch (filter.kind) {
    case 'text':
      return textOf(filter.field, filter.text, filter.method)
    case 'state':
      return { 'user.state': filter.state }
    case 'type':
      return { 'user.kind': filter.type }
    case 'ids':
      return { _id: { $in: filter.ids as readonly UserId[] } }
    case 'emails':
      return { emailSearch: { $in: filter.emails.map(comparable) } }
    case 'metadata':
      return metadataOf(filter)
    case 'granted':
      return { 'user.roles.projectId': filter.projectId }
    case 'and':
      return filter.filters.length === 0 ? {} : { $and: filter.filters.map(filterOf) }
    case 'or':
      return filter.filters.length === 0 ? nobody : { $or: filter.filters.map(filterOf) }
    case 'not':
      return { $nor: [filterOf(filter.filter)] }
  }
}

/** Every document has an id. */
const nobody: Conditions = { _id: { $exists: false } }

function textOf(field: TextField, text: string, method: TextMethod): Conditions {
  const key = keys[field]
  const exact = { [fields[field]]: method === 'equals' ? text : patternOf(text, method) } as Conditions
  if (key === undefined) return exact
  const narrowed = { [key]: narrowing(comparable(text), caseless(method)) } as Conditions
  return regardsCase(method) ? { ...narrowed, ...exact } : narrowed
}

/** As far as an index can: a range where the beginning is known. */
function narrowing(text: string, method: TextMethod) {
  if (method === 'equals') return text
  return method === 'startsWith' ? beginningWith(text) : { $regex: patternOf(text, method) }
}

/** Texts are compared by their bytes, and no character comes after this one. */
const beginningWith = (text: string) => ({ $gte: text, $lt: `${text}\u{10ffff}` })

/** The method for texts that are in the comparable form already. */
const caseless = (method: TextMethod) => method.replace('IgnoreCase', '') as TextMethod

function patternOf(text: string, method: TextMethod): RegExp {
  const literal = literalOf(text)
  const start = /^(?:equals|startsWith)/.test(method) ? '^' : ''
  // By itself the sign for the end also means: before a newline that is last.
  const end = /^(?:equals|endsWith)/.test(method) ? '$(?!\\n)' : ''
  return new RegExp(`${start}${literal}${end}`, regardsCase(method) ? '' : 'i')
}

/** A pattern that matches `text`. A pattern cannot hold a zero byte, and not every engine knows all that `RegExp.escape` makes. */
const literalOf = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replaceAll('\0', '\\x00')

function metadataOf({ key, value }: UserFilter & { readonly kind: 'metadata' }): Conditions {
  if (value) return { 'metadata.tags': tagMatching(key, value) } as Conditions
  return key ? ({ 'metadata.names': nameMatching(key) } as Conditions) : { 'metadata.keys': { $gt: 0 } }
}

function nameMatching({ text, method }: Match) {
  if (method === 'equals') return text
  return { $elemMatch: method === 'startsWith' ? beginningWith(text) : { $regex: patternOf(text, method) } }
}

/** What matches the tag of an entry (`tagOf`). */
function tagMatching(key: Match | undefined, { bytes, equal }: { readonly bytes: Uint8Array; readonly equal: boolean }) {
  const hex = tagOfValue(bytes)
  if (key?.method === 'equals' && equal) return `${tagOfKey(key.text)}${hex}`
  const keyPart = key ? keyPattern(key) : '^[^\u0001]*'
  const $regex = new RegExp(`${keyPart}\u0001${equal ? `${hex}$` : `(?!${hex}$)`}`, key && !regardsCase(key.method) ? 'i' : '')
  return { $elemMatch: key?.method === 'equals' ? { ...beginningWith(tagOfKey(key.text)), $regex } : { $regex } }
}

function keyPattern({ text, method }: Match): string {
  const literal = literalOf(escaped(text))
  const anything = '[^\u0001]*'
  if (method.startsWith('equals')) return `^${literal}`
  if (method.startsWith('startsWith')) return `^${literal}${anything}`
  return method.startsWith('endsWith') ? `^${anything}${literal}` : `^${anything}${literal}${anything}`
}
