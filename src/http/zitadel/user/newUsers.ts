/** New users by the second API. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { AddHumanUserRequest, CreateUserRequest_Human } from '@zitadel/proto/zitadel/user/v2/user_service_pb.js'
import { newObjectId } from '#src/base/ids.ts'
import type { Profile, User } from '#src/domain/users/user.ts'
import type { NewUser } from '#src/domain/users/users.ts'
import type { Caller } from '../authenticate.ts'
import { type Verification, verificationOf } from '../contacts.ts'
import { detailsOf } from '../details.ts'
import { StatusError } from '../errors.ts'
import { handlerOf } from '../handler.ts'
import type { HandlerNeeds } from '../handlers.ts'
import { entriesOfNew, metadataBodyBytes } from '../metadata.ts'
import { assertOurs } from '../organization.ts'
import { wantedPasswordOf } from '../passwords.ts'
import { withContact, withMachine, withProfile } from '../profile.ts'
import { actorOf } from '../users.ts'
import { metadataOfNew, UserService } from './service.ts'

type GivenPerson = Pick<
  AddHumanUserRequest | CreateUserRequest_Human,
  'profile' | 'email' | 'phone' | 'passwordType' | 'idpLinks' | 'totpSecret'
>
type Named = Pick<NewUser, 'id' | 'metadata'> & { readonly username?: string }

export function newUserHandlers({ users, codes, catalogue, now, organizationId }: HandlerNeeds) {
  const { method } = UserService
  const large = { bodyLimitBytes: metadataBodyBytes }

  async function createPerson(person: GivenPerson, { username, ...named }: Named, caller: Caller) {
    if (person.idpLinks.length > 0 || person.totpSecret !== undefined)
      throw new StatusError('unimplemented', 'idpLinks and totpSecret: a password is all that people sign in with here')
    const secret = wantedPasswordOf(person.passwordType)
    const profile = profileOf(person)
    const wanted = { kind: 'human', username: username ?? person.email?.email ?? '', profile, ...named, ...secret } as const
    const user = await users.create(wanted, actorOf(caller))
    const emailCode = await codeOf(user, 'email', verificationOf(person.email?.verification))
    const phoneCode = await codeOf(user, 'phone', verificationOf(person.phone?.verification))
    return { user, ...(emailCode !== undefined && { emailCode }), ...(phoneCode !== undefined && { phoneCode }) }
  }

  async function codeOf(user: User, kind: 'email' | 'phone', verification: Verification): Promise<string | undefined> {
    const address = user.profile[kind]
    return verification === 'code' && address !== undefined ? codes.issue(user.id, kind, address) : undefined
  }

  return [
    handlerOf(
      method.createUser,
      async (request, caller) => {
        assertOurs(request.organizationId, organizationId())
        const { userType, userId, username } = request
        const id = userId ?? newObjectId(now())
        const metadata = entriesOfNew(metadataOfNew(request))
        switch (userType.case) {
          case 'human': {
            const { user, ...codesOf } = await createPerson(userType.value, { id, username, metadata }, caller)
            return { id: user.id, creationDate: timestampFromDate(user.createdAt), ...codesOf }
          }
          case 'machine': {
            const profile = withMachine({}, userType.value.name, userType.value.description)
            const user = await users.create({ kind: 'machine', id, username: username ?? id, profile, metadata }, actorOf(caller))
            return { id: user.id, creationDate: timestampFromDate(user.createdAt) }
          }
          default:
            throw new StatusError('invalidArgument', 'user_type: a human or a machine is needed')
        }
      },
      large,
    ),

    handlerOf(
      method.addHumanUser,
      async ({ userId, username, organization, metadata, ...person }, caller) => {
        const { case: by, value = '' } = organization?.org ?? {}
        if (by === 'orgId') assertOurs(value, organizationId())
        if (by === 'orgDomain') assertOurs(value, (await catalogue.root()).organization.primaryDomain)
        const named = { username, metadata: entriesOfNew(metadata), ...(userId !== undefined && { id: userId }) }
        const { user, ...codesOf } = await createPerson(person, named, caller)
        return { userId: user.id, details: detailsOf(user, organizationId()), ...codesOf }
      },
      large,
    ),
  ]
}

function profileOf({ profile, email, phone }: GivenPerson): Profile {
  let made = withProfile({}, profile ?? {})
  if (email) made = withContact(made, 'email', email.email, verificationOf(email.verification) === 'verified')
  return phone?.phone ? withContact(made, 'phone', phone.phone, verificationOf(phone.verification) === 'verified') : made
}
