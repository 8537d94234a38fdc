import { Busy, DomainError, StoreUnavailable } from '#src/base/errors.ts'
import type { ExecutionInvalid, TargetInvalid, TargetNotFound } from '#src/domain/actions/action.ts'
import type { ClientIdTaken } from '#src/domain/applications/application.ts'
import type {
  ApplicationIdTaken,
  ApplicationInvalid,
  ApplicationKeyNotFound,
  ApplicationNameTaken,
  ApplicationNotActive,
  ApplicationNotFound,
  ApplicationNotInactive,
  ApplicationWithoutSecret,
  ProjectFixed,
  ProjectIdTaken,
  ProjectInvalid,
  ProjectNameTaken,
  ProjectNotActive,
  ProjectNotFound,
  ProjectNotInactive,
  RoleNotFound,
  RoleTaken,
} from '#src/domain/applications/failures.ts'
import type { MetadataInvalid, MetadataLimitReached, MetadataListEmpty, MetadataNotFound } from '#src/domain/metadata/metadata.ts'
import type { AuthorizationRequestGone, AuthorizationRequestNotAnswered } from '#src/domain/sessions/authorizationRequests.ts'
import type { LoginSessionNotFound, LoginSessionTokenInvalid } from '#src/domain/sessions/loginSessions.ts'
import type { GrantImpossible, GrantNotActive, GrantNotFound, GrantNotInactive, GrantTaken } from '#src/domain/users/grants.ts'
import type { TooManyAttempts } from '#src/domain/users/signIn.ts'
import type { UserIdTaken, UserInvalid, UserNotFound, UsernameTaken } from '#src/domain/users/user.ts'
import type { BodyTooLarge, BodyUnsupported } from '../kit/body.ts'

/** The numbers of gRPC's status codes, as far as they are answered here. */
const grpcCodes = {
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

export type GrpcCode = keyof typeof grpcCodes

const httpStatusOf = {
  invalidArgument: 400,
  notFound: 404,
  alreadyExists: 409,
  permissionDenied: 403,
  resourceExhausted: 429,
  failedPrecondition: 400,
  unimplemented: 501,
  internal: 500,
  unavailable: 503,
  unauthenticated: 401,
} as const satisfies Record<GrpcCode, number>

/** A refusal in ZITADEL's words. With an `id`, the message ends in it and the reply tells it once more as a detail. */
export class StatusError extends Error {
  readonly code: GrpcCode
  readonly id?: string
  /** Where HTTP has a better word than the map from gRPC's codes. */
  readonly httpStatus: number
  readonly headers: Readonly<Record<string, string>>

  constructor(code: GrpcCode, text: string, { id, httpStatus, headers = {} }: StatusOptions = {}) {
    super(text)
    this.code = code
    this.id = id
    this.httpStatus = httpStatus ?? httpStatusOf[code]
    this.headers = code === 'unauthenticated' ? { 'WWW-Authenticate': withId(text, id), ...headers } : headers
  }

  /** Of gRPC, and of Connect. */
  get number(): number {
    return grpcCodes[this.code]
  }

  /** The body of the reply: google.rpc.Status as grpc-gateway writes it. */
  toJSON() {
    const status = { code: this.number, message: withId(this.message, this.id) }
    if (this.id === undefined) return status
    const detail = { '@type': 'type.googleapis.com/zitadel.v1.ErrorDetail', id: this.id, message: this.message }
    return { ...status, details: [detail] }
  }
}

interface StatusOptions {
  readonly id?: string
  readonly httpStatus?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** The text with its id behind it, as ZITADEL writes messages. */
export const withId = (text: string, id: string | undefined) => (id === undefined ? text : `${text} (${id})`)

type Expected =
  | StoreUnavailable
  | Busy
  | BodyTooLarge
  | BodyUnsupported
  | MetadataNotFound
  | MetadataListEmpty
  | MetadataInvalid
  | MetadataLimitReached
  | UserNotFound
  | UserInvalid
  | UsernameTaken
  | UserIdTaken
  | TooManyAttempts
  | TargetNotFound
  | TargetInvalid
  | ExecutionInvalid
  | LoginSessionNotFound
  | LoginSessionTokenInvalid
  | AuthorizationRequestGone
  | AuthorizationRequestNotAnswered
  | ProjectNotFound
  | ProjectNameTaken
  | ProjectIdTaken
  | ProjectInvalid
  | ProjectFixed
  | ProjectNotActive
  | ProjectNotInactive
  | RoleTaken
  | RoleNotFound
  | ApplicationNotFound
  | ApplicationNameTaken
  | ApplicationIdTaken
  | ApplicationInvalid
  | ApplicationNotActive
  | ApplicationNotInactive
  | ApplicationWithoutSecret
  | ApplicationKeyNotFound
  | ClientIdTaken
  | GrantNotFound
  | GrantTaken
  | GrantNotActive
  | GrantNotInactive
  | GrantImpossible

interface Wording {
  readonly grpc: GrpcCode
  readonly id?: string
  readonly http?: number
  /** Absent where our own sentence is for the caller. */
  readonly text?: string
}

const wordings = {
  store_unavailable: { grpc: 'unavailable', text: 'The service cannot reach its store right now' },
  busy: { grpc: 'unavailable', text: 'The service is too busy right now' },
  request_too_large: { grpc: 'invalidArgument', http: 413 },
  unsupported_media_type: { grpc: 'invalidArgument', http: 415 },
  'metadata.not_found': { grpc: 'notFound', id: 'QUERY-Rgh32', text: 'Metadata not found' },
  'metadata.list_empty': { grpc: 'failedPrecondition', id: 'META-9mm2d', text: 'Metadata list is empty' },
  'metadata.invalid': { grpc: 'invalidArgument', id: 'META-2m00f', text: 'Metadata is invalid' },
  'metadata.limit_reached': { grpc: 'failedPrecondition' },
  'user.invalid': { grpc: 'invalidArgument' },
  'user.username_taken': { grpc: 'alreadyExists', id: 'V3-DKcYh', text: 'User already exists' },
  'user.id_taken': { grpc: 'alreadyExists', id: 'COMMAND-7yiox', text: 'User already exists' },
  'user.too_many_attempts': { grpc: 'resourceExhausted' },
  'login_session.not_found': { grpc: 'notFound', id: 'QUERY-SFeaa', text: 'Session does not exist' },
  'login_session.token_invalid': { grpc: 'permissionDenied', id: 'COMMAND-sGr42', text: 'Session Token is invalid' },
  'authorization_request.gone': { grpc: 'notFound', id: 'V2-Thee9', text: 'Auth Request does not exist' },
  'authorization_request.not_answered': { grpc: 'failedPrecondition' },
  'target.not_found': { grpc: 'notFound', id: 'QUERY-ohz6e', text: 'Target not found' },
  'target.invalid': { grpc: 'invalidArgument' },
  'execution.invalid': { grpc: 'invalidArgument' },
  'project.not_found': { grpc: 'notFound', id: 'COMMAND-3M9sd', text: 'Project not found' },
  'project.name_taken': { grpc: 'alreadyExists', id: 'V3-DKcYh', text: 'Project already exists on organization' },
  'project.id_taken': { grpc: 'alreadyExists', id: 'V3-DKcYh', text: 'Project already exists on organization' },
  'project.invalid': { grpc: 'invalidArgument' },
  'project.fixed': { grpc: 'failedPrecondition' },
  'project.not_active': { grpc: 'failedPrecondition', id: 'COMMAND-mki55', text: 'Project is not active' },
  'project.not_inactive': { grpc: 'failedPrecondition', id: 'COMMAND-5M9bs', text: 'Project is not deactivated' },
  'project.role_taken': { grpc: 'alreadyExists', id: 'V3-DKcYh', text: 'Project Role already exists' },
  'project.role_not_found': { grpc: 'notFound', id: 'COMMAND-vv8M9', text: "Project Role doesn't exist" },
  'application.not_found': { grpc: 'notFound', id: 'COMMAND-2n8uU', text: "Application doesn't exist" },
  'application.name_taken': { grpc: 'alreadyExists', id: 'V3-DKcYh', text: 'Application already exists' },
  'application.id_taken': { grpc: 'alreadyExists', id: 'V3-DKcYh', text: 'Application already exists' },
  'application.client_id_taken': { grpc: 'alreadyExists', id: 'V3-DKcYh', text: 'Application already exists' },
  'application.invalid': { grpc: 'invalidArgument' },
  'application.not_active': { grpc: 'failedPrecondition', id: 'COMMAND-dsh35', text: 'Application is not active' },
  'application.not_inactive': { grpc: 'failedPrecondition', id: 'COMMAND-1n8cM', text: 'Application is not inactive' },
  'application.without_secret': { grpc: 'failedPrecondition', text: 'Chosen Auth Method does not require a secret' },
  'application.key_not_found': { grpc: 'notFound', id: 'COMMAND-G4bLn', text: 'Key not found' },
  'grant.not_found': { grpc: 'notFound', id: 'COMMAND-3M9sd', text: 'User grant not found' },
  'grant.taken': { grpc: 'alreadyExists', id: 'V3-DKcYh', text: 'User grant already exists' },
  'grant.not_active': { grpc: 'failedPrecondition', id: 'COMMAND-1S9gx', text: 'User grant is not active' },
  'grant.not_inactive': { grpc: 'failedPrecondition', id: 'COMMAND-1ML0v', text: 'User grant is not deactivated' },
  'grant.impossible': { grpc: 'failedPrecondition' },
  'user.not_found': { grpc: 'notFound', id: 'QUERY-Dfbg2', text: 'User could not be found' },
} as const satisfies Record<Expected['code'], Wording>

/** What `error` is to the caller; `undefined` when nobody expected it, and the caller is to learn nothing but that. */
export function statusOf(error: unknown): StatusError | undefined {
  if (error instanceof StatusError) return error
  if (!(error instanceof DomainError) || !Object.hasOwn(wordings, error.code)) return undefined
  const { grpc, id, http, text }: Wording = wordings[error.code as keyof typeof wordings]
  const retry: Record<string, string> =
    error instanceof StoreUnavailable || error instanceof Busy ? { 'Retry-After': String(error.retryAfterSeconds) } : {}
  // What is left of a body that was refused is not wanted.
  const close: Record<string, string> = http === 413 ? { Connection: 'close' } : {}
  return new StatusError(grpc, text ?? error.message, { id, httpStatus: http, headers: { ...retry, ...close } })
}

export const unexpected = () => new StatusError('internal', 'An internal error occurred')
