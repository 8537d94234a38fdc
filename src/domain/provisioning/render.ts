import { stringify } from 'yaml'
import type { Exported } from './export.ts'

export type Format = 'yaml' | 'json'

/** The text of a configuration file, piece by piece; each ends with a line break, so that users of any number take no memory. */
export async function* render(exported: Exported, format: Format, withUsers: boolean): AsyncGenerator<string> {
  const users = withUsers ? exported.users() : undefined
  yield* format === 'yaml' ? yamlOf(exported, users) : jsonOf(exported, users)
}

async function* yamlOf({ catalogue }: Exported, users: ReturnType<Exported['users']> | undefined): AsyncGenerator<string> {
  const write = (value: unknown) => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })
  yield write(catalogue)
  if (!users) return
  let isFirst = true
  for await (const user of users) {
    yield `${isFirst ? 'users:\n' : ''}${write([user])}`
    isFirst = false
  }
  if (isFirst) yield 'users: []\n'
}

async function* jsonOf({ catalogue }: Exported, users: ReturnType<Exported['users']> | undefined): AsyncGenerator<string> {
  const open = JSON.stringify(catalogue, undefined, 2).slice(0, -2)
  if (!users) {
    yield `${open}\n}\n`
    return
  }
  yield `${open},\n  "users": [\n`
  let isFirst = true
  for await (const user of users) {
    yield `${isFirst ? '' : ',\n'}    ${JSON.stringify(user)}`
    isFirst = false
  }
  yield '\n  ]\n}\n'
}
