import type { Actor } from '../audit/events.ts'
import type { KeyValue, Metadata, MetadataEntry } from '../metadata/metadata.ts'
import type { Passwords } from '../users/passwords.ts'
import type { User, UserId } from '../users/user.ts'
import type { UserEdit, Users } from '../users/users.ts'
import { type Change, changeOf, differingFields } from './change.ts'
import type { ConfigurationFile } from './file.ts'
import type { CataloguePlan } from './planCatalogue.ts'
import { note, noteRepeated, type Rules } from './rules.ts'
import type { WantedUser } from './user.ts'

export interface UserDeps {
  readonly users: Users
  readonly metadata: Pick<Metadata, 'set'>
  readonly passwords: Pick<Passwords, 'verify'>
  readonly rules: Rules
}

/** One user of the file: what is to change, and how. */
export interface UserPlan {
  readonly change: Change
  /** The stored user that it is about, absent when there is none yet. */
  readonly id?: UserId
  write(actor: Actor): Promise<void>
}

/** What makes the stored users those of `file`. Faults are added to the file's; `progress` is told how many were looked at. */
export async function planUsers(
  file: ConfigurationFile,
  catalogue: CataloguePlan,
  deps: UserDeps,
  progress: (done: number) => void,
): Promise<readonly UserPlan[]> {
  const { rules } = deps
  noteRepeated(file.users, 'username', ({ username }) => rules.comparable(username), file.faults)
  noteRepeated(file.users, 'id', ({ id }) => id, file.faults)
  const plans: UserPlan[] = []
  for (const wanted of file.users) {
    const found = await findUser(wanted, file, deps)
    noteFaults(wanted, found?.user.kind ?? wanted.kind ?? 'human', catalogue, file, rules)
    for (const [field, value] of Object.entries(wanted.profile))
      note(file.faults, [...wanted.path, field], () => rules.assertProfile({ [field]: value }, found?.user.profile))
    const grants = grantsOf(wanted, catalogue, file)
    plans.push(found ? await updateOf(wanted, found, grants, file, deps) : creationOf(wanted, grants, file, deps))
    progress(plans.length)
  }
  return plans
}

interface Found {
  readonly user: User
  readonly metadata: readonly MetadataEntry[]
}

/** The stored user that `wanted` means: by id, otherwise by username. */
async function findUser({ path, id, username, kind }: WantedUser, { faults }: ConfigurationFile, { users, rules }: UserDeps) {
  const byId = id === undefined ? undefined : await users.findWithMetadata(id as UserId)
  const byName = await users.findByUsername(username)
  if (byId && byName && byName.id !== byId.user.id) faults.add([...path, 'username'], 'is taken by another user')
  if (!byId && byName && id !== undefined) faults.add([...path, 'id'], `is ${byName.id} in the store, and an id cannot change`)
  const found = byId ?? (byName && (await users.findWithMetadata(byName.id)))
  const taken = found && rules.comparable(found.user.username) === rules.comparable(username)
  if (!taken) note(faults, [...path, 'username'], () => rules.assertUsername(username))
  if (found && kind !== undefined && kind !== found.user.kind)
    faults.add([...path, 'kind'], `is ${found.user.kind} in the store, and cannot change`)
  return found
}

/** What is wrong with a user whatever the store holds. */
function noteFaults(
  wanted: WantedUser,
  kind: User['kind'],
  { clientIds }: CataloguePlan,
  { faults }: ConfigurationFile,
  rules: Rules,
): void {
  const { path, password, passwordHash, clientSecret, username } = wanted
  if (password !== undefined) note(faults, [...path, 'password'], () => rules.assertPassword(password))
  if (passwordHash !== undefined) note(faults, [...path, 'passwordHash'], () => rules.assertPasswordHash(passwordHash))
  for (const { key, value } of wanted.metadata) note(faults, [...path, 'metadata', key], () => rules.assertMetadata(key, value))
  if (kind === 'machine') {
    if (password !== undefined) faults.add([...path, 'password'], 'is for people; a machine has a clientSecret')
    if (passwordHash !== undefined) faults.add([...path, 'passwordHash'], 'is for people; a machine has a clientSecret')
    if (clientIds.has(username)) faults.add([...path, 'username'], 'is the client id of an application')
  } else if (clientSecret !== undefined) faults.add([...path, 'clientSecret'], 'is for machines; a person has a password')
}

/** The role keys that the file gives, by project id. A project that it does not name keeps what it has given. */
type Grants = ReadonlyMap<string, readonly string[]>

function grantsOf({ path, roles }: WantedUser, catalogue: CataloguePlan, { faults }: ConfigurationFile): Grants {
  const grants = new Map<string, readonly string[]>()
  for (const { project: name, keys } of roles) {
    const at = [...path, 'roles', name]
    const [id = name, ...others] = catalogue.idsByName.get(name) ?? []
    const project = catalogue.projects.get(id)
    if (others.length > 0) faults.add(at, 'there are several projects of this name; write the id of one instead')
    else if (!project) faults.add(at, 'there is no such project')
    else if (!catalogue.unread.has(id)) {
      const known = new Set(project.roles.map(({ key }) => key))
      keys.forEach((key, index) => {
        if (!known.has(key)) faults.add([...at, index], `the project has no role ${JSON.stringify(key)}`)
      })
    }
    grants.set(id, keys)
  }
  return grants
}

/** What the file does not name stays, also where it is nothing. */
const rolesWith = (roles: User['roles'], grants: Grants): User['roles'] =>
  Object.fromEntries([...new Map([...Object.entries(roles), ...grants])].filter(([id, keys]) => keys.length > 0 || !grants.has(id)))

function creationOf(wanted: WantedUser, grants: Grants, file: ConfigurationFile, { users, rules }: UserDeps): UserPlan {
  const { username, kind = 'human', id, profile, password, passwordHash, clientSecret, admin, metadata, state } = wanted
  assertRoom(wanted, metadata, file, rules)
  const secretHash = clientSecret === undefined ? undefined : rules.hashSecret(clientSecret)
  const roles = rolesWith({}, grants)
  return {
    change: { kind: 'user', name: username, change: 'create' },
    async write(actor) {
      const fields = { id, kind, username, profile, password, passwordHash, secretHash, roles, admin, metadata, provisionedBy: file.mark }
      const user = await users.create(fields, actor)
      if (state !== undefined && state !== 'active') await moveTo(users, user.id, state, actor)
    },
  }
}

async function updateOf(
  wanted: WantedUser,
  { user, metadata }: Found,
  grants: Grants,
  file: ConfigurationFile,
  deps: UserDeps,
): Promise<UserPlan> {
  const { users, rules } = deps
  const { username, profile, admin, clientSecret, password, passwordHash, state } = wanted
  const secretHash = clientSecret === undefined ? undefined : rules.hashSecret(clientSecret)
  const editOf = (current: User) => ({
    username,
    profile: { ...current.profile, ...profile },
    roles: rolesWith(current.roles, grants),
    admin: admin ?? current.admin,
    secretHash: secretHash ?? current.secretHash,
  })
  const next = editOf(user)
  const edited = differingFields<UserEdit>(pick(user, Object.keys(next)), next)
  const values = differingValues(wanted.metadata, metadata)
  const untouched = metadata.filter(({ key }) => !values.some((each) => each.key === key))
  assertRoom(wanted, [...untouched, ...values], file, rules)
  const newPassword = await differingPassword(user, wanted, deps)
  const moved = state !== undefined && state !== user.state
  const fields = [
    ...edited.filter((field) => field !== 'profile'),
    ...differingFields(user.profile, next.profile),
    ...(newPassword ? ['password'] : []),
    ...(moved ? ['state'] : []),
    ...values.map(({ key }) => `metadata ${key}`),
  ]
  return {
    id: user.id,
    change: changeOf(
      'user',
      username,
      fields.map((field) => (field === 'secretHash' ? 'clientSecret' : field)),
    ),
    async write(actor) {
      // From the user as it is now: since the comparison somebody may have changed a field that the file does not name.
      if (edited.length > 0) await users.edit(user.id, editOf(await users.get(user.id)), actor)
      if (values.length > 0) await deps.metadata.set(user.id, values, actor)
      if (newPassword && passwordHash !== undefined) await users.importPassword(user.id, passwordHash, actor)
      else if (newPassword && password !== undefined) await users.setPassword(user.id, password, actor)
      if (moved) await moveTo(users, user.id, state, actor)
    },
  }
}

const pick = (user: User, fields: readonly string[]) =>
  Object.fromEntries(fields.map((field) => [field, user[field as keyof User]])) as UserEdit

/** An imported hash is compared as text, also with the one that the user came with before the first sign-in replaced it. */
async function differingPassword(user: User, { password, passwordHash }: WantedUser, { passwords, rules }: UserDeps): Promise<boolean> {
  if (passwordHash !== undefined) return user.passwordHash !== passwordHash && user.passwordImport !== rules.hashSecret(passwordHash)
  return password !== undefined && !(await passwords.verify(password, user.passwordHash))
}

function differingValues(wanted: readonly KeyValue[], stored: readonly MetadataEntry[]): readonly KeyValue[] {
  const before = new Map(stored.map(({ key, value }) => [key, value]))
  return wanted.filter(({ key, value }) => Buffer.compare(before.get(key) ?? Buffer.of(), value) !== 0)
}

/** Whether the metadata that a user will have fits. */
function assertRoom({ path }: WantedUser, entries: readonly KeyValue[], { faults }: ConfigurationFile, { metadataLimits }: Rules): void {
  const bytes = entries.reduce((sum, { value }) => sum + value.byteLength, 0)
  if (entries.length > metadataLimits.keys) faults.add([...path, 'metadata'], `a user may have at most ${metadataLimits.keys} keys`)
  if (bytes > metadataLimits.totalBytes)
    faults.add([...path, 'metadata'], `a user may have at most ${metadataLimits.totalBytes} bytes together`)
}

async function moveTo(users: Users, id: UserId, state: User['state'], actor: Actor): Promise<void> {
  if (state === 'active') await users.reactivate(id, actor)
  else await (state === 'inactive' ? users.deactivate(id, actor) : users.lock(id, actor))
}
