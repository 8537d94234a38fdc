/** The MongoDB that tests run on: where it is, and new databases in it. */
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { inject } from 'vitest'
import { newObjectId } from '#src/base/ids.ts'

/** Where the server is and how the names of this run's databases begin, or why there is none. */
export type MongodbAnswer = { readonly url: string; readonly prefix: string } | { readonly missing: string }

export interface TestMongodb {
  /** The address of the server, perhaps with a database that is not ours. */
  readonly url: string
  /** The address of a new, empty database. */
  newDatabase(): string
}

let asked: Promise<MongodbAnswer> | undefined

/**
 * The server, or `undefined` where there is none: the tests that need it are to be skipped then.
 * @throws Error with the reason instead of `undefined` when `CI` is `true`
 */
export async function findMongodb(): Promise<TestMongodb | undefined> {
  asked ??= text(connect(inject('mongodbPort'), '127.0.0.1')).then((answer) => JSON.parse(answer) as MongodbAnswer)
  const answer = await asked
  if ('url' in answer) return { url: answer.url, newDatabase: () => withDatabase(answer.url, `${answer.prefix}${newObjectId()}`) }
  if (process.env.CI === 'true') throw new Error(`tests on MongoDB cannot run here: ${answer.missing}`)
  return undefined
}

/** `url` with another database. Who signs in does so where they did before. */
export function withDatabase(url: string, name: string): string {
  const parts = /^(?<server>mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/(?<before>[^?]*))?(?:\?(?<options>.*))?$/.exec(url)?.groups
  if (!parts) throw new TypeError(`${JSON.stringify(url)} is not an address of MongoDB`)
  const options = new URLSearchParams(parts.options)
  if (parts.server?.includes('@') && !options.has('authSource')) options.set('authSource', parts.before || 'admin')
  return `${parts.server}/${name}${options.size > 0 ? `?${options}` : ''}`
}
