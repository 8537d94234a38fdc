/** What stands at an address: whether it can hold the store, and what to do when it cannot. */
import type { Db, MongoClient } from 'mongodb'
import { CannotStart, StoreUnavailable } from '#src/base/errors.ts'
import { hostsOf } from './address.ts'
import { conditionOf } from './failures.ts'

/** What a server tells about itself. */
export interface Hello {
  /** Absent on a standalone server. */
  readonly setName?: string
  /** `isdbgrid` on a router of a sharded cluster. */
  readonly msg?: string
  readonly isWritablePrimary: boolean
  /** Grows with the versions of the server. */
  readonly maxWireVersion: number
  /** What time it is there. */
  readonly localTime: Date
}

/** MongoDB 5.0, the first that looks up a limited number of documents by a field. */
const neededWireVersion = 13

export const hello = async (database: Db) => (await database.command({ hello: 1 })) as unknown as Hello

/** @throws CannotStart when the server lacks something that the stores are built on */
export function assertUsable({ setName, msg, maxWireVersion }: Hello, client: MongoClient): void {
  if (setName === undefined && msg !== 'isdbgrid') {
    throw new CannotStart(
      `the MongoDB server at ${hostsOf(client)} is a standalone one, which has no transactions: start it with --replSet rs0 and run ` +
        'rs.initiate() in mongosh once, which makes it a replica set of one node',
    )
  }
  if (maxWireVersion < neededWireVersion) {
    throw new CannotStart(`the MongoDB server at ${hostsOf(client)} is too old: upgrade it to version 5.0 or later`)
  }
}

/** What to do about a deployment that cannot be used: `CannotStart`, or `error` as it is when the state of the server is not to blame. */
export function explained(error: unknown, client: MongoClient): unknown {
  if (error instanceof CannotStart) return error
  const condition = error instanceof StoreUnavailable ? (conditionOf(error.cause) ?? 'it did not answer in time') : conditionOf(error)
  if (condition === undefined) return error
  return new CannotStart(
    `MongoDB at ${hostsOf(client)} cannot be used because ${condition}: start it, make a new replica set usable by rs.initiate(), or correct ` +
      'the host, the name of the replica set and the credentials in DOSSIER_STORE',
    { cause: error },
  )
}
