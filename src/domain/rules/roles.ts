/**
 * Roles: the first whose `apply_when` holds for a document is the one by which it is read and written. Without a role nothing is allowed.
 */
import type { Document } from 'bson'
import type { RoleFile, RulesFile } from '../apps/configuration.ts'
import type { FieldRule } from '../apps/schemas.ts'
import { type Expression, holds, isPlain, type Surroundings, same } from './expressions.ts'

type Access = 'read' | 'write'

/** The role of a document, if it has one. */
export function roleFor(rules: Pick<RulesFile, 'roles'>, surroundings: Surroundings): RoleFile | undefined {
  return rules.roles.find((role) => holds(role.apply_when as Expression, surroundings))
}

/** Whether a role lets somebody do all of `access` with a document, whatever its fields. */
export function isWhole(role: RoleFile, access: Access, surroundings: Surroundings): boolean {
  if (!filterLets(role, access, surroundings)) return false
  return holds(role.write, surroundings) || (access === 'read' && holds(role.read, surroundings))
}

/** What of a document a role lets somebody read; `undefined` when that is nothing. */
export function readable(role: RoleFile, document: Document, surroundings: Surroundings): Document | undefined {
  if (!filterLets(role, 'read', surroundings)) return undefined
  if (isWhole(role, 'read', surroundings)) return document
  const kept = fieldsOf(document, role.fields, role.additional_fields, surroundings)
  return Object.keys(kept).length === 0 ? undefined : kept
}

function fieldsOf(
  document: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, FieldRule>> | undefined,
  others: FieldRule | undefined,
  surroundings: Surroundings,
): Document {
  const kept: [string, unknown][] = []
  for (const [name, value] of Object.entries(document)) {
    const rule = fields && Object.hasOwn(fields, name) ? fields[name] : others
    if (!rule) continue
    if (holds(rule.write, surroundings) || holds(rule.read, surroundings)) kept.push([name, value])
    else if (rule.fields && isPlain(value)) {
      const below = fieldsOf(value, rule.fields, undefined, surroundings)
      if (Object.keys(below).length > 0) kept.push([name, below])
    }
  }
  return Object.fromEntries(kept)
}

/** Whether a role lets somebody read the field at a dotted path. */
export function mayReadField(role: RoleFile, path: string, surroundings: Surroundings): boolean {
  if (isWhole(role, 'read', surroundings)) return true
  if (!filterLets(role, 'read', surroundings)) return false
  return fieldLets(role, path.split('.'), 'read', surroundings)
}

/** Whether a role lets somebody make `after` of `before`: every field that differs must be theirs to write. */
export function mayChange(role: RoleFile, before: Document | undefined, after: Document, surroundings: Surroundings): boolean {
  if (isWhole(role, 'write', surroundings)) return true
  if (!filterLets(role, 'write', surroundings)) return false
  return differing(before ?? {}, after, []).every((path) => fieldLets(role, path, 'write', surroundings))
}

function fieldLets(role: RoleFile, path: readonly string[], access: Access, surroundings: Surroundings): boolean {
  let fields = role.fields
  let others: FieldRule | undefined = role.additional_fields
  for (const name of path) {
    const rule: FieldRule | undefined = fields && Object.hasOwn(fields, name) ? fields[name] : others
    if (!rule) return false
    if (holds(rule.write, surroundings) || (access === 'read' && holds(rule.read, surroundings))) return true
    fields = rule.fields
    others = undefined
  }
  return false
}

/** The paths at which two documents differ, as deep as both have documents there. */
function differing(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
  at: readonly string[],
): (readonly string[])[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].flatMap((name) => {
    const [left, right] = [before[name], after[name]]
    if (Object.hasOwn(before, name) && Object.hasOwn(after, name)) {
      if (isPlain(left) && isPlain(right)) return differing(left, right, [...at, name])
      if (same(left, right)) return []
    }
    return [[...at, name]]
  })
}

/** Filters that say for a document as a whole, which device sync brought, are a further condition. */
function filterLets({ document_filters: filters }: RoleFile, access: Access, surroundings: Surroundings): boolean {
  if (!filters) return true
  return (
    holds(filters.write, surroundings) ||
    (access === 'read' && holds(filters.read, surroundings)) ||
    (filters[access] === undefined && filters.write === undefined)
  )
}
