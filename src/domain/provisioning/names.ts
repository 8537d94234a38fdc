import { isName, nameReason } from '#src/base/forms.ts'
import type { Role } from '../applications/application.ts'
import type { Faults, Path } from './faults.ts'

interface Named {
  readonly name: string
  /** Of a project. */
  readonly roles?: readonly Role[]
}

/** Adds a fault for each name that is none. What something is called already it may go on being called: an earlier version took more. */
export function noteNames(after: Named, before: Named | undefined, path: Path, faults: Pick<Faults, 'add'>): void {
  const judge = (name: string | undefined, former: string | undefined, at: Path) => {
    if (name !== undefined && name !== former && !isName(name)) faults.add(at, nameReason)
  }
  judge(after.name, before?.name, [...path, 'name'])
  for (const [index, { key, displayName, group }] of (after.roles ?? []).entries()) {
    const former = before?.roles?.find((role) => role.key === key)
    judge(displayName, former?.displayName, [...path, 'roles', index, 'displayName'])
    judge(group, former?.group, [...path, 'roles', index, 'group'])
  }
}
