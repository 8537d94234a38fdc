/** `/console/users/{id}/identities`: logins at providers, with what those have told. */
import type { Apps } from '#src/domain/apps/apps.ts'
import type { Identity } from '#src/domain/users/identity.ts'
import type { User } from '#src/domain/users/user.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { readable } from './readable.ts'
import { pathOf, showUser, type UserNeeds, userConfirmation, userPage } from './user.ts'

export interface UserIdentitiesNeeds extends UserNeeds {
  readonly apps: Pick<Apps, 'list'>
}

type IdentityName = Pick<Identity, 'app' | 'provider' | 'id'>

/** An identity within an address: its id may be any text. */
const segmentOf = ({ app, provider, id }: IdentityName) => Buffer.from(JSON.stringify([app, provider, id])).toString('base64url')

const identityIn = ({ identities = [] }: User, segment = '') => identities.find((each) => segmentOf(each) === segment)

export const userIdentitiesPages = (needs: UserIdentitiesNeeds): readonly AreaPage[] => {
  async function show(visit: Visit, user: User): Promise<void> {
    const names = new Map((await needs.apps.list()).map(({ app }) => [app.id, app.name]))
    return showUser(needs, visit, user, 'identities', {
      identities: (user.identities ?? []).map((identity) => ({
        ...identity,
        segment: segmentOf(identity),
        appName: names.get(identity.app) ?? identity.app,
        data: readable(identity.data),
      })),
    })
  }

  return [
    userPage(needs, { method: 'GET', path: '/identities', permission: 'user.read', handle: show }),
    ...userConfirmation(needs, {
      path: '/identities/:identity/remove',
      permission: 'user.write',
      ask({ texts: { t }, params }, user) {
        const identity = identityIn(user, params.identity)
        return (
          identity && {
            title: t('consoleUsers.identities.removeTitle'),
            what: t('consoleUsers.identities.removeWhat', { provider: identity.provider, id: identity.id }),
            submit: t('consoleUsers.identities.remove'),
            back: `/console${pathOf(user, '/identities')}`,
          }
        )
      },
      async act(visit, user) {
        const identity = identityIn(user, visit.params.identity)
        if (identity) await needs.users.removeIdentity(user.id, identity, visit.actor)
        visit.go(pathOf(user, '/identities'), 'removed')
      },
    }),
  ]
}
