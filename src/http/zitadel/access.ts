/**
 * Who may call what. The first API says it in its descriptors; the second says "authenticated" there and leaves the rest to the server, which is the
 * table below. An RPC that neither settles cannot be served: making its handler fails.
 */
import { type DescMethod, getOption, type Message } from '@bufbuild/protobuf'
import { auth_option } from '@zitadel/proto/zitadel/options_pb.js'
import { options } from '@zitadel/proto/zitadel/protoc_gen_zitadel/v2/options_pb.js'
import type { Caller } from './authenticate.ts'
import { nameOf } from './call.ts'
import { StatusError } from './errors.ts'

/** What a caller needs. */
export interface Access {
  /** The permission; without one, whoever has a token may. */
  readonly permission?: string
  /** The field of the request with the user's id: people may do this for themselves without the permission. */
  readonly self?: string
  /** Whether the RPC is of the API of the first version. */
  readonly isFirstApi: boolean
}

type Rule = readonly [permission: string, self?: string]

/** Of users: people may do it for themselves. */
const read: Rule = ['user.read', 'userId']
const writeOwn: Rule = ['user.write', 'userId']
const write: Rule = ['user.write']

/** Of services whose descriptors say "authenticated". */
const rules: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  'zitadel.session.v2.SessionService': {
    ListSessions: ['session.read'],
    GetSession: ['session.read'],
    CreateSession: ['session.write'],
    SetSession: ['session.write'],
    DeleteSession: ['session.delete'],
  },
  'zitadel.action.v2beta.ActionService': {
    CreateTarget: ['action.target.write'],
    UpdateTarget: ['action.target.write'],
    DeleteTarget: ['action.target.delete'],
    GetTarget: ['action.target.read'],
    ListTargets: ['action.target.read'],
    SetExecution: ['action.execution.write'],
    ListExecutions: ['action.execution.read'],
    ListExecutionFunctions: ['action.execution.read'],
    ListExecutionMethods: ['action.execution.read'],
    ListExecutionServices: ['action.execution.read'],
  },
  'zitadel.oidc.v2.OIDCService': {
    GetAuthRequest: ['session.read'],
    CreateCallback: ['session.link'],
    GetDeviceAuthorizationRequest: ['session.read'],
    AuthorizeOrDenyDeviceAuthorization: ['session.link'],
  },
  'zitadel.management.v1.ManagementService': {
    // Of this alone the descriptor says nothing.
    GetOIDCInformation: ['authenticated'],
  },
  'zitadel.project.v2beta.ProjectService': {
    CreateProject: ['project.create'],
    UpdateProject: ['project.write'],
    DeleteProject: ['project.delete'],
    DeactivateProject: ['project.write'],
    ActivateProject: ['project.write'],
    AddProjectRole: ['project.role.write'],
    UpdateProjectRole: ['project.role.write'],
    RemoveProjectRole: ['project.role.delete'],
  },
  'zitadel.app.v2beta.AppService': {
    CreateApplication: ['project.app.write'],
    UpdateApplication: ['project.app.write'],
    GetApplication: ['project.app.read'],
    DeleteApplication: ['project.app.delete'],
    DeactivateApplication: ['project.app.write'],
    ReactivateApplication: ['project.app.write'],
    RegenerateClientSecret: ['project.app.write'],
    ListApplications: ['project.app.read'],
    CreateApplicationKey: ['project.app.write'],
    DeleteApplicationKey: ['project.app.write'],
    GetApplicationKey: ['project.app.read'],
    ListApplicationKeys: ['project.app.read'],
  },
  'zitadel.authorization.v2beta.AuthorizationService': {
    ListAuthorizations: ['user.grant.read'],
    CreateAuthorization: ['user.grant.write'],
    UpdateAuthorization: ['user.grant.write'],
    DeleteAuthorization: ['user.grant.delete'],
    ActivateAuthorization: ['user.grant.write'],
    DeactivateAuthorization: ['user.grant.write'],
  },
  'zitadel.org.v2.OrganizationService': {
    ListOrganizations: ['org.read'],
  },
  'zitadel.user.v2.UserService': {
    CreateUser: write,
    GetUserByID: read,
    ListUsers: ['user.read'],
    UpdateUser: write,
    UpdateHumanUser: write,
    // An address is proved by a code that the person has, or by somebody who manages users: the handlers look at that.
    SetEmail: writeOwn,
    ResendEmailCode: write,
    SendEmailCode: write,
    VerifyEmail: writeOwn,
    SetPhone: writeOwn,
    RemovePhone: writeOwn,
    ResendPhoneCode: write,
    VerifyPhone: writeOwn,
    PasswordReset: write,
    // With the password until now or a code only: the handler looks at that.
    SetPassword: writeOwn,
    DeactivateUser: write,
    ReactivateUser: write,
    LockUser: write,
    UnlockUser: write,
    DeleteUser: ['user.delete'],
    AddSecret: write,
    RemoveSecret: write,
    AddKey: write,
    RemoveKey: write,
    ListKeys: ['user.read'],
    // A service account looks after its own; whose tokens are listed is in a filter, which the handler looks at.
    AddPersonalAccessToken: writeOwn,
    RemovePersonalAccessToken: writeOwn,
    ListPersonalAccessTokens: ['authenticated'],
    ListAuthenticationMethodTypes: read,
    ListAuthenticationFactors: read,
    ListIDPLinks: read,
    ListPasskeys: read,
    // Of themselves where the setting says so: the handlers look at that.
    SetUserMetadata: writeOwn,
    ListUserMetadata: read,
    DeleteUserMetadata: writeOwn,
  },
}

/** Services in which everybody acts on themselves. */
const ownServices = new Set(['zitadel.auth.v1.AuthService'])

/** @throws TypeError for an RPC that nobody has decided about. */
export function accessOf(rpc: DescMethod): Access {
  const service = rpc.parent.typeName
  const isFirstApi = service.split('.').at(-2) === 'v1'
  if (ownServices.has(service)) return { isFirstApi }
  const [permission, self] = Object.hasOwn(rules, service) ? (rules[service]?.[rpc.name] ?? []) : []
  const published = isFirstApi ? getOption(rpc, auth_option).permission : getOption(rpc, options).authOption?.permission
  const settled = permission ?? (published === 'authenticated' && !isFirstApi ? undefined : published)
  if (!settled) throw new TypeError(`nobody has decided who may call ${nameOf(rpc)}`)
  return settled === 'authenticated' ? { isFirstApi } : { permission: settled, isFirstApi, ...(self !== undefined && { self }) }
}

/** @throws StatusError */
export function assertMay({ permission, self }: Access, caller: Caller, request?: Message): void {
  if (permission === undefined || caller.may(permission)) return
  if (self !== undefined && request && (request as unknown as Record<string, unknown>)[self] === caller.user.id) return
  throw refusalOf(caller)
}

/** What a caller is told who may not. */
export function refusalOf(caller: Caller): StatusError {
  if (caller.isFirstApi) return new StatusError('permissionDenied', 'No matching permissions found', { id: 'AUTH-5mWD2' })
  if (!caller.isMember) return new StatusError('notFound', 'membership not found', { id: 'AUTHZ-cdgFk' })
  return new StatusError('permissionDenied', 'No matching permissions found', { id: 'AUTH-AWfge' })
}
