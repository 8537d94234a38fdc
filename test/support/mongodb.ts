/** The MongoDB that tests run on: where it is, and new databases in it. */
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { inject } from 'vitest'
import { newObjectId } from '#src/base/ids.ts'

/** Where the server is, or why there is none. */
export type MongodbAnswer = { readonly url: string } | { readonly missing: string }

/** How the names of databases begin that a run of the tests has made. `pid` is that of the process that began the run. */
export const testDatabasePrefix = (pid: number) => `dossier_test_${pid}_`

let asked: Promise<MongodbAnswer> | undefined

/**
 * The URL of the server, without a database, or `undefined` where there is none: the tests that need it are to be skipped then.
 * @throws Error with the reason instead of `undefined` when `CI` is `true`
 */
export async function findMongodb(): Promise<string | undefined> {
  asked ??= text(connect(inject('mongodbPort'), '127.0.0.1')).then((answer) => JSON.parse(answer) as MongodbAnswer)
  const answer = await asked
  if ('url' in answer) return answer.url
  if (process.env.CI === 'true') throw new Error(`tests on MongoDB cannot run here: ${answer.missing}`)
  return undefined
}

/** The URL of a new, empty database on the server at `url`. */
export const newDatabase = (url: string) => withDatabase(url, `${testDatabasePrefix(process.ppid)}${newObjectId()}`)

/** `url` with another database. Who signs in does so where they did before. */
export function withDatabase(url: string, name: string): string {
  const parts = /^(?<server>mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/(?<before>[^?]*))?(?:\?(?<options>.*))?$/.exec(url)?.groups
  if (!parts) throw new TypeError(`${JSON.stringify(url)} is not an address of MongoDB`)
  const options = new URLSearchParams(parts.options)
  if (parts.server?.includes('@') && !options.has('authSource')) options.set('authSource', parts.before || 'admin')
  return `${parts.server}/${name}${options.size > 0 ? `?${options}` : ''}`
}
