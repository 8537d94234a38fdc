import { MongoClient, type MongoClientOptions } from 'mongodb'
import { CannotStart } from '#src/base/errors.ts'

const form = 'write mongodb://HOST[,HOST]/DATABASE?replicaSet=NAME'

/** A client of `url` that is not connected yet. @throws CannotStart when `url` has no database name, or is no address of MongoDB */
export function clientOf(url: string, options: MongoClientOptions): MongoClient {
  if (!/^mongodb(\+srv)?:\/\/[^/]+\/[^/?]+/.test(url)) {
    throw new CannotStart(`the address of the MongoDB store in DOSSIER_STORE has no database name: ${form}`)
  }
  try {
    return new MongoClient(url, options)
  } catch (error) {
    const reason = error instanceof Error && !tellsCredentials(url, error.message) ? ` (${error.message})` : ''
    throw new CannotStart(`the address of the MongoDB store in DOSSIER_STORE cannot be used${reason}: ${form}`, { cause: error })
  }
}

/** Whether `text` repeats a part of the user name and the password in `url`. */
function tellsCredentials(url: string, text: string): boolean {
  const userinfo = /^[^/]+\/\/(.*)@/.exec(url)?.[1] ?? ''
  return userinfo.split(':').some((part) => part !== '' && text.includes(part))
}

/** The hosts of a client, as its address names them. */
export const hostsOf = ({ options }: MongoClient) => options.srvHost ?? options.hosts.map(String).join(',')
