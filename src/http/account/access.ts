import type { Access } from '#src/domain/sessions/access.ts'
import { applicationName } from '../kit/applicationName.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { describeAccess } from '../kit/scopes.ts'
import type { AccountNeeds } from './account.ts'

/** What an application may do, as a person reads it. */
export async function accessLine(visit: Visit, { catalogue }: Pick<AccountNeeds, 'catalogue'>, { clientId, scopes, claims }: Access) {
  const [view, { ownProjectId }] = await Promise.all([catalogue.find(clientId), catalogue.root()])
  const application = view?.application
  return {
    clientId,
    name: applicationName(visit.texts, clientId, application?.name),
    logoUri: application?.logoUri,
    isOurs: application?.firstParty ?? false,
    items: describeAccess(visit.texts, { scopes, claims, ownProjectId }),
  }
}

/** `/account/access`: which applications have access to what, and the end of it. */
export function accessPages(needs: AccountNeeds): readonly AreaPage[] {
  const { accesses } = needs
  return [
    {
      method: 'GET',
      path: '/access',
      async handle(visit) {
        const found = await accesses.list(visit.user.id)
        await visit.show('account/access', { applications: await Promise.all(found.map((each) => accessLine(visit, needs, each))) })
      },
    },
    {
      method: 'POST',
      path: '/access/revoke',
      async handle(visit, form) {
        if (await accesses.revoke(visit.user.id, form.raw('clientId'), visit.actor)) visit.go('/access', 'accessRevoked')
        else await visit.missing()
      },
    },
  ]
}
