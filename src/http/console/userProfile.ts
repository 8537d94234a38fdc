/** `/console/users/{id}/edit`: what is told about a user. */
import { DomainError } from '#src/base/errors.ts'
import type { Profile, User } from '#src/domain/users/user.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import type { SentForm } from '../kit/sentForm.ts'
import { type FormFaults, faultsAt, faultsOf } from './faults.ts'
import { fieldsOf, markOf, profileOf, typedIn } from './profileForm.ts'
import { addressFaults } from './provenAddress.ts'
import { pathOf, showUser, type UserNeeds, userPage } from './user.ts'

/** Somebody else has changed what a form was made of. */
class ChangedMeanwhile extends DomainError {
  readonly code = 'pages.changed_meanwhile'
  constructor() {
    super('somebody else has changed this meanwhile')
  }
}

function showForm(needs: UserNeeds, visit: Visit, user: User, form?: FormFaults): Promise<void> {
  const shown = { values: fieldsOf(user), faults: {}, ...form, mark: markOf(user.profile) }
  const heading = visit.texts.t('consoleUsers.edit.title')
  return showUser(needs, visit, user, 'overview', { template: 'userEdit', heading, ...shown, ...(form && { status: 400 }) })
}

async function save(needs: UserNeeds, visit: Visit, user: User, form: SentForm): Promise<void> {
  const { users } = needs
  const typed = typedIn(form)
  const faults = user.kind === 'human' ? await addressFaults(needs, visit, typed, user) : {}
  if (Object.keys(faults).length > 0) return showForm(needs, visit, user, faultsAt(visit, faults, typed))
  // Of what has changed since the form was made nothing is overwritten unseen.
  const decide = (current: Profile) => {
    if (markOf(current) !== form.raw('mark')) throw new ChangedMeanwhile()
    return user.kind === 'machine' ? { ...without(current), ...profileOf('machine', typed) } : profileOf('human', typed)
  }
  try {
    await users.edit(user.id, { username: typed.username ?? '', profile: decide }, visit.actor)
    visit.go(pathOf(user), 'saved')
  } catch (error) {
    await showForm(needs, visit, (await users.find(user.id)) ?? user, faultsOf(visit, error, typed))
  }
}

/** What else is told of a machine stays. */
const without = ({ displayName: _, description: __, ...rest }: Profile): Profile => rest

export const userProfilePages = (needs: UserNeeds): readonly AreaPage[] => [
  userPage(needs, {
    method: 'GET',
    path: '/edit',
    permission: 'user.write',
    // With another address comes the link to another password.
    isDangerous: true,
    isForChange: true,
    handle: (visit, user) => showForm(needs, visit, user),
  }),
  userPage(needs, {
    method: 'POST',
    path: '/edit',
    permission: 'user.write',
    isDangerous: true,
    isLong: true,
    handle: (visit, user, form) => save(needs, visit, user, form),
  }),
]
