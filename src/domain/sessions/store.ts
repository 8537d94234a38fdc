/**
 * Sessions: what the engine keeps between two requests. Sessions, interactions, grants, codes and tokens are *artifacts*: a payload
 * that only the engine reads, with the few fields by which the store finds it.
 *
 * The rules that no engine can keep by itself stand here: an artifact is consumed once, a proof is accepted once, and two
 * authorizations in one session do not overwrite each other, whichever processes they meet in.
 */
export interface Artifact {
  /** The engine's name for the kind: Session, Grant, AuthorizationCode, AccessToken … */
  readonly model: string
  readonly id: string
  readonly payload: Readonly<Record<string, unknown>>
  readonly expiresAt?: Date
  readonly grantId?: string
  /** The stable id of a session, whose `id` changes; on a token, of the session that it ends with. */
  readonly uid?: string
  readonly userCode?: string
  readonly accountId?: string
}

/** An artifact as found: `consumedAt` tells that it has been used up. */
export interface FoundArtifact {
  readonly payload: Record<string, unknown>
  readonly consumedAt?: Date
}

/** A token with what it hangs on. */
export interface FoundToken {
  readonly token: FoundArtifact
  readonly grant?: FoundArtifact
  /** Looked up when the token has a `uid`. */
  readonly session?: FoundArtifact
}

export interface ArtifactStore {
  find(model: string, id: string): Promise<FoundArtifact | undefined>
  /** The newest artifact with this uid: an old row may linger for a moment while an id changes. */
  findByUid(model: string, uid: string): Promise<FoundArtifact | undefined>
  /** A token, its grant and its session in one read: what every use of an access token asks for. */
  findToken(model: string, id: string): Promise<FoundToken | undefined>
  /** Everything of `model` that belongs to a user and was not issued under a grant, oldest first. */
  listByAccount(model: string, accountId: string): Promise<readonly FoundArtifact[]>
  /** Everything of `model` that has not expired, by id, ascending; `after` is the last id of the page before. */
  list(model: string, page: { readonly after?: string; readonly limit: number }): Promise<readonly FoundArtifact[]>
  findByUserCode(model: string, userCode: string): Promise<FoundArtifact | undefined>
  put(artifact: Artifact): Promise<void>
  /** Like `put`, but keeps every entry of `payload.authorizations` of the same sign-in that another request has added meanwhile. */
  putSession(artifact: Artifact): Promise<void>
  /** Stores it unless there is one with this id already; tells whether it did. */
  insert(artifact: Artifact): Promise<boolean>
  /** Marks it used; `false` when it had been used before, or is not there. Of many at once, one gets `true`. */
  consume(model: string, id: string, at: Date): Promise<boolean>
  /**
   * Marks it used and stores what is given for it; `false`, with nothing stored, when it had been used before, or is not there. Of many at
   * once, one gets `true`.
   */
  exchange(model: string, id: string, given: readonly Artifact[], at: Date): Promise<boolean>
  remove(model: string, id: string): Promise<void>
  /** Removes everything of `model` that was issued under a grant. */
  removeByGrant(model: string, grantId: string): Promise<void>
  /** Removes everything that belongs to a user: sessions, grants, and the codes and tokens that were issued under them. */
  removeByAccount(accountId: string): Promise<void>
}
