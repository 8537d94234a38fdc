import type { Page, PageRequest } from '#src/base/page.ts'
import type { AuditEvent } from '../audit/events.ts'
import type { MetadataEntry } from '../metadata/metadata.ts'
import type { UserClue, UserCondition, UserPlace } from './browse.ts'
import type { IdentityKey } from './identity.ts'
import type { UserSearch, UsersFound } from './search.ts'
import type { User, UserId, UserState } from './user.ts'

/** The next form of a user with the events that tell how it got there. */
export interface UserChange {
  readonly user: User
  readonly events: readonly AuditEvent[]
}

/** Users as the domain needs them kept. Every write is one transaction with its events. */
export interface UserStore {
  find(id: UserId): Promise<User | undefined>
  /** A user with all metadata, oldest entry first, in one read. */
  findWithMetadata(id: UserId): Promise<{ user: User; metadata: readonly MetadataEntry[] } | undefined>
  /** A user with all metadata as `metadataText`, oldest entry first, in one read: what userinfo and tokens are made of. */
  findWithMetadataText(id: UserId): Promise<{ user: User; metadata?: string } | undefined>
  /** By username, without regard to case. */
  findByUsername(username: string): Promise<User | undefined>
  /** At most two users who have proved that this address is theirs. */
  findByVerifiedEmail(email: string): Promise<readonly User[]>
  /** Whose identity it is. */
  findByIdentity(identity: IdentityKey): Promise<User | undefined>
  /** Those who have an identity of an app, by id. `after` is the last id of the page before. */
  listByApp(app: string, page: PageRequest & { readonly descending?: boolean }): Promise<Page<User>>
  /** By id, ascending. */
  list(page: PageRequest): Promise<Page<User>>
  /** Whom a search finds, in constant memory. */
  search(search: UserSearch): Promise<UsersFound>
  /** How many places the index of a clue has, counted as far as `most`. */
  countPlaces(clue: UserClue, most: number): Promise<number>
  /**
   * The places in the index of a clue that come behind `after`, from the index alone: newest first for everybody, a state and a type, in
   * any order that stays for the others. Of a word, users stand at each of their words that begin so.
   */
  places(clue: UserClue, page: { readonly after?: UserPlace | undefined; readonly limit: number }): Promise<readonly UserPlace[]>
  /** Those of `ids` for whom all conditions hold, in any order. */
  findAll(ids: readonly UserId[], conditions: readonly UserCondition[]): Promise<readonly User[]>
  countByState(): Promise<Readonly<Record<UserState, number>>>
  isEmpty(): Promise<boolean>
  /** @throws UsernameTaken, UserIdTaken, IdentityTaken */
  insert(user: User, metadata: readonly MetadataEntry[], events: readonly AuditEvent[]): Promise<void>
  /**
   * Replaces a user by what `decide` makes of the current one. `decide` is pure and may be called again when somebody else was
   * faster; `undefined` means that nothing is to change.
   * @throws UserNotFound, UsernameTaken, IdentityTaken
   */
  update(id: UserId, decide: (current: User) => UserChange | undefined): Promise<User>
  /** Removes a user with metadata and personal access tokens. @throws UserNotFound */
  remove(id: UserId, decide: (current: User) => readonly AuditEvent[]): Promise<void>
}

/** A long-lived token of one user. Only the SHA-256 of its secret is kept. */
export interface PersonalAccessToken {
  readonly id: string
  readonly userId: UserId
  readonly name: string
  /** SHA-256 of the token, base64url. */
  readonly hash: string
  readonly createdAt: Date
  readonly expiresAt?: Date
}

export interface PersonalAccessTokenStore {
  /** @throws UserNotFound */
  insert(token: PersonalAccessToken, events: readonly AuditEvent[]): Promise<void>
  findByHash(hash: string): Promise<PersonalAccessToken | undefined>
  list(userId: UserId): Promise<readonly PersonalAccessToken[]>
  /** Whether there was such a token of that user. */
  remove(userId: UserId, id: string, events: readonly AuditEvent[]): Promise<boolean>
}

/** How often something failed lately. */
export interface Attempts {
  readonly failures: number
  readonly lastAt: Date
}

/** Counts of failed sign-ins, shared by all instances. A count is forgotten `windowSeconds` after its last failure. */
export interface AttemptStore {
  /** Adds one to each key, at once, and answers what each stood at before. An attempt is counted before it is judged, so that a burst cannot slip through. */
  count(keys: readonly string[], at: Date, windowSeconds: number): Promise<readonly (Attempts | undefined)[]>
  /** Takes one from each key again: the attempt was no failure. With `before`, what `count` answered, the time of the one before counts again. */
  takeBack(attempts: readonly { readonly key: string; readonly before?: Attempts }[]): Promise<void>
  forget(keys: readonly string[]): Promise<void>
  /** Forgets every key that begins with `start`. */
  forgetAll(start: string): Promise<void>
}
