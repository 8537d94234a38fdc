/** Machine users and what they prove with who they are, for managers. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { KeyType } from '@zitadel/proto/zitadel/auth_n_key_pb.js'
import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js'
import { addKey, addToken, type Credential, expirationOf, keysOf, tokensOf } from '../credentials.ts'
import { changedDetails, createdDetails, listDetails } from '../details.ts'
import { StatusError } from '../errors.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { cut, listQueryOf } from '../pagination.ts'
import { withMachine } from '../profile.ts'
import { actorOf, changeable, existing } from '../users.ts'
import { assertOpaque } from './newUsers.ts'

export function machineHandlers(needs: HandlerNeeds) {
  const { method } = ManagementService
  const { users, now, organizationId } = needs
  const changed = (user: Parameters<typeof changedDetails>[0]) => ({ details: changedDetails(user, organizationId()) })

  const messageOf = (credential: Credential) => {
    const created = timestampFromDate(credential.createdAt)
    return {
      id: credential.id,
      details: { creationDate: created, changeDate: created, resourceOwner: organizationId() },
      expirationDate: expirationOf(credential),
    }
  }
  const keyOf = (key: Credential) => ({ ...messageOf(key), type: KeyType.JSON })

  function found(credentials: readonly Credential[], id: string, refusal: () => StatusError): Credential {
    const credential = credentials.find((each) => each.id === id)
    if (!credential) throw refusal()
    return credential
  }

  return [
    handlerOf(method.updateMachine, async ({ userId, name, description, accessTokenType }, caller) => {
      assertOpaque(accessTokenType)
      const { id } = await changeable(needs, caller, userId, 'machine')
      return changed(await users.edit(id, { profile: (profile) => withMachine(profile, name, description) }, actorOf(caller)))
    }),

    handlerOf(method.generateMachineSecret, async ({ userId }, caller) => {
      const { id } = await changeable(needs, caller, userId, 'machine')
      const { secret, user } = await users.createSecret(id, actorOf(caller))
      return { clientId: user.username, clientSecret: secret, ...changed(user) }
    }),

    handlerOf(method.removeMachineSecret, async ({ userId }, caller) => {
      const { id, secretHash } = await changeable(needs, caller, userId, 'machine')
      if (secretHash === undefined) throw new StatusError('notFound', 'Secret not found', { id: 'COMMAND-7usxs' })
      return changed(await users.removeSecret(id, actorOf(caller)))
    }),

    handlerOf(method.getMachineKeyByIDs, async ({ userId, keyId }) => ({
      key: keyOf(found(keysOf(await existing(needs, userId)), keyId, noKey)),
    })),

    handlerOf(method.listMachineKeys, async ({ userId, query }) => {
      const part = listQueryOf(query)
      const keys = keysOf(await existing(needs, userId))
      return { details: listDetails(keys.length, now()), result: cut(keys, part).map(keyOf) }
    }),

    handlerOf(method.addMachineKey, async ({ userId, ...wanted }, caller) => {
      const { id, file, createdAt, user } = await addKey(needs, caller, await changeable(needs, caller, userId, 'machine'), wanted)
      return { keyId: id, keyDetails: file, details: createdDetails({ sequence: user.sequence, createdAt }, organizationId()) }
    }),

    handlerOf(method.removeMachineKey, async ({ userId, keyId }, caller) => {
      const { id } = await changeable(needs, caller, userId, 'machine')
      if (!(await users.removeKey(id, keyId, actorOf(caller)))) throw noKey()
      return changed(await users.get(id))
    }),

    handlerOf(method.getPersonalAccessTokenByIDs, async ({ userId, tokenId }) => ({
      token: messageOf(found(await tokensOf(needs, await existing(needs, userId)), tokenId, noToken)),
    })),

    handlerOf(method.listPersonalAccessTokens, async ({ userId, query }) => {
      const part = listQueryOf(query)
      const tokens = await tokensOf(needs, await existing(needs, userId))
      return { details: listDetails(tokens.length, now()), result: cut(tokens, part).map(messageOf) }
    }),

    handlerOf(method.addPersonalAccessToken, async ({ userId, expirationDate }, caller) => {
      const user = await changeable(needs, caller, userId, 'machine')
      const { id, token, createdAt } = await addToken(needs, caller, user, expirationDate)
      return { tokenId: id, token, details: createdDetails({ sequence: user.sequence, createdAt }, organizationId()) }
    }),

    handlerOf(method.removePersonalAccessToken, async ({ userId, tokenId }, caller) => {
      const user = await changeable(needs, caller, userId)
      if (!(await users.revokeToken(user.id, tokenId, actorOf(caller)))) throw noToken()
      return changed({ sequence: user.sequence, changedAt: now() })
    }),
  ]
}

const noKey = () => new StatusError('notFound', 'Key not found', { id: 'QUERY-Tha6f' })
const noToken = () => new StatusError('notFound', 'Personal Access Token not found', { id: 'QUERY-fRunu' })
