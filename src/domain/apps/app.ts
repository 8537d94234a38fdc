/**
 * App Services apps: each is an application of MongoDB Atlas App Services that logs in here (contracts/app-services.md).
 *
 * Owns what an app is configured to do, as the folder that App Services exports: files are kept byte for byte, and what Dossier serves is read from them. Hands people to
 * `users`, documents to the data source, and the running of functions to whoever is given. Knows no HTTP.
 */
import { DomainError } from '#src/base/errors.ts'
import type { AppConfiguration } from './configuration.ts'

/** An app as it is stored. */
export interface App {
  /** 24 hexadecimal characters: the internal id, by which the admin API knows it. */
  readonly id: string
  /** By which SDKs know it, like `myapp-abcde`; unique. */
  readonly clientAppId: string
  readonly name: string
  /** The files of its folder by their paths, in base64. */
  readonly files: Readonly<Record<string, string>>
  /** Ids of what the files know by name only, by `kind/name`: `function/onUserCreation`, `provider/anon-user`. */
  readonly ids: Readonly<Record<string, string>>
  /** Values of secrets by name, sealed. */
  readonly secrets: Readonly<Record<string, string>>
  /** How long a refresh token lives. */
  readonly refreshTokenSeconds: number
  readonly createdAt: Date
  readonly changedAt: Date
}

/** An app with what its files say. */
export interface AppView {
  readonly app: App
  readonly configuration: AppConfiguration
}

/** Sixty days. */
export const defaultRefreshTokenSeconds = 60 * 24 * 3600

export class AppNotFound extends DomainError {
  readonly code = 'app.not_found'
  constructor(id: string) {
    super(`there is no app ${JSON.stringify(id)}`)
  }
}

export class ClientAppIdTaken extends DomainError {
  readonly code = 'app.client_app_id_taken'
  constructor(clientAppId: string, options?: ErrorOptions) {
    super(`the app id ${JSON.stringify(clientAppId)} is already taken`, options)
  }
}

/** What is wrong with the files of an app: one line a fault, with file and path. Nothing was written. */
export class AppFaults extends DomainError {
  readonly code = 'app.faults'
  readonly lines: readonly string[]
  constructor(lines: readonly string[]) {
    super(lines.join('\n'))
    this.lines = lines
  }
}
