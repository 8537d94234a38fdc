import { KeyType } from '@zitadel/proto/zitadel/auth_n_key_pb.js'
import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js'
import { type ApplicationKey, addKeyTo, keyCreation, keyOf, keysOf } from '../applicationKeys.ts'
import { listDetails } from '../details.ts'
import { handlerOf } from '../handler.ts'
import { cut, listQueryOf } from '../pagination.ts'
import { newDetails, type ProjectsNeeds } from '../projects.ts'
import { actorOf } from '../users.ts'

export function appKeyHandlers(needs: ProjectsNeeds) {
  const { method } = ManagementService
  const { applications, organizationId, now } = needs

  const detailsOf = (key: ApplicationKey) => ({ creationDate: keyCreation(key), resourceOwner: organizationId() })
  const messageOf = (key: ApplicationKey) => ({ id: key.id, details: detailsOf(key), type: KeyType.JSON })

  return [
    handlerOf(method.getAppKey, async ({ projectId, appId, keyId }) => ({
      key: messageOf(keyOf(await applications.get(appId, projectId), keyId)),
    })),

    handlerOf(method.listAppKeys, async ({ projectId, appId, query }) => {
      const part = listQueryOf(query)
      const keys = keysOf(await applications.get(appId, projectId))
      return { details: listDetails(keys.length, now()), result: cut(keys, part).map(messageOf) }
    }),

    handlerOf(method.addAppKey, async ({ projectId, appId, expirationDate }, caller) => {
      const { keyDetails, ...key } = await addKeyTo(needs, await applications.get(appId, projectId), expirationDate, caller)
      return { id: key.id, details: detailsOf(key), keyDetails }
    }),

    handlerOf(method.removeAppKey, async ({ projectId, appId, keyId }, caller) => {
      const { id } = await applications.get(appId, projectId)
      const { changedAt } = await applications.removeKey(id, keyId, actorOf(caller))
      return { details: newDetails(changedAt, organizationId()) }
    }),
  ]
}
