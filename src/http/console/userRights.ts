/** `/console/users/{id}/rights`: what somebody may do to Dossier itself: roles of its own project, and being an administrator. Whoever changes it has just proved who they are. */
import { NotAllowed } from '#src/domain/applications/managing.ts'
import { holdsAll } from '#src/domain/applications/ownRoles.ts'
import type { User } from '#src/domain/users/user.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import type { SentForm } from '../kit/sentForm.ts'
import { pathOf, showUser, shuttingOut, userPage } from './user.ts'
import type { UserRolesNeeds } from './userRoles.ts'

/** What an administrator may do, and nobody else. */
const administrating = 'iam.member.write'

async function show(needs: UserRolesNeeds, visit: Visit, user: User, data: { problem?: string; status?: number } = {}): Promise<void> {
  const { projects, ownProjectId } = await needs.catalogue.root()
  const granted = new Set(user.roles[ownProjectId])
  return showUser(needs, visit, user, 'roles', {
    template: 'userRights',
    heading: visit.texts.t('consoleUsers.rights.title'),
    ...data,
    roles: (projects.get(ownProjectId)?.roles ?? []).map(({ key, displayName }) => ({
      key,
      displayName,
      isHeld: granted.has(key),
      isGrantable: holdsAll(visit.held, [key]),
    })),
    isActive: !user.inactiveGrants?.includes(ownProjectId),
    mayAdministrate: visit.may(administrating),
  })
}

/** Makes the grant in Dossier's own project what was chosen. @throws NotAllowed, NotToYourself, and what grants throw */
async function regrant(
  { grants, managing }: UserRolesNeeds,
  visit: Visit,
  user: User,
  ownProjectId: string,
  form: SentForm,
): Promise<void> {
  const wanted = form.all('role')
  const isActive = form.raw('active') === 'yes'
  const before = user.roles[ownProjectId]
  const wasActive = !user.inactiveGrants?.includes(ownProjectId)
  const isSame = (before ?? []).length === wanted.length && wanted.every((role) => before?.includes(role))
  if (isSame && (before === undefined || isActive === wasActive)) return
  // Neither what is taken nor what is given goes beyond what the visitor holds.
  managing.assertMayGrant(visit, ownProjectId, [...wanted, ...(before ?? [])])
  if (before === undefined) {
    await grants.add(user.id, ownProjectId, wanted, visit.actor)
    return
  }
  await shuttingOut({ managing }, visit, user, async () => {
    if (wanted.length === 0) {
      if (!visit.may('user.grant.delete')) throw new NotAllowed()
      return void (await grants.remove(user.id, ownProjectId, visit.actor))
    }
    if (!isSame) await grants.change(user.id, ownProjectId, wanted, visit.actor)
    if (isActive !== wasActive) await grants[isActive ? 'reactivate' : 'deactivate'](user.id, ownProjectId, visit.actor)
  })
}

/** Makes somebody an administrator, or one no more. @throws NotAllowed, NotToYourself */
async function appoint(needs: UserRolesNeeds, visit: Visit, user: User, admin: boolean): Promise<void> {
  if (user.admin === admin) return
  if (!visit.may(administrating)) throw new NotAllowed()
  await shuttingOut(needs, visit, user, () => needs.users.edit(user.id, { admin }, visit.actor))
}

export const userRightsPages = (needs: UserRolesNeeds): readonly AreaPage[] => [
  userPage(needs, {
    method: 'GET',
    path: '/rights',
    permission: 'user.grant.write',
    isDangerous: true,
    isForChange: true,
    handle: (visit, user) => show(needs, visit, user),
  }),
  userPage(needs, {
    method: 'POST',
    path: '/rights',
    permission: 'user.grant.write',
    isDangerous: true,
    async handle(visit, user, form) {
      const { ownProjectId } = await needs.catalogue.root()
      try {
        await regrant(needs, visit, user, ownProjectId, form)
        // The box is there for those who may use it.
        if (visit.may(administrating)) await appoint(needs, visit, user, form.raw('administrator') === 'yes')
        else if (form.has('administrator')) throw new NotAllowed()
        visit.go(pathOf(user, '/roles'), 'saved')
      } catch (error) {
        if (error instanceof NotAllowed) throw error
        await show(needs, visit, (await needs.users.find(user.id)) ?? user, { problem: visit.problemOf(error), status: 400 })
      }
    },
  }),
]
