/** `/console/users/new`: a person, or a service account. */
import type { User } from '#src/domain/users/user.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import type { SentForm } from '../kit/sentForm.ts'
import { type FormFaults, faultsAt, faultsOf } from './faults.ts'
import { fieldsOf, profileOf, typedIn } from './profileForm.ts'
import { addressFaults } from './provenAddress.ts'
import { pathOf, type UserNeeds } from './user.ts'

const path = '/users/new'
const nothing = fieldsOf({ username: '', profile: {} })

const kindOf = (text: string): User['kind'] => (text === 'machine' ? 'machine' : 'human')

function show(visit: Visit, kind: User['kind'], form: Partial<FormFaults> = {}): Promise<void> {
  const trail = [{ href: '/console/users', label: visit.texts.t('consoleUsers.title') }]
  return visit.show('console/newUser', { trail, kind, values: nothing, faults: {}, ...form }, form.problem === undefined ? 200 : 400)
}

async function create({ users }: UserNeeds, visit: Visit, form: SentForm): Promise<void> {
  const kind = kindOf(form.raw('kind'))
  const typed = typedIn(form)
  const password = form.raw('password')
  const faults = kind === 'human' ? await addressFaults({ users }, visit, typed) : {}
  if (Object.keys(faults).length > 0) return show(visit, kind, faultsAt(visit, faults, { ...typed, password: '' }))
  const profile = profileOf(kind, typed)
  const username = typed.username || (kind === 'human' ? (typed.email ?? '') : '')
  try {
    const user = await users.create({ kind, username, profile, ...(kind === 'human' && password !== '' && { password }) }, visit.actor)
    visit.go(pathOf(user), 'userCreated')
  } catch (error) {
    await show(visit, kind, faultsOf(visit, error, { ...typed, password: '' }))
  }
}

export const newUserPages = (needs: UserNeeds): readonly AreaPage[] => [
  { method: 'GET', path, permission: 'user.write', handle: (visit) => show(visit, kindOf(visit.query('kind'))) },
  { method: 'POST', path, permission: 'user.write', handle: (visit, form) => create(needs, visit, form) },
]
