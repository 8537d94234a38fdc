import { writeFileSync } from 'node:fs'
import { DomainError } from '#src/base/errors.ts'
import { type Command, operandsOf, optionOf, WrongUsage } from './command.ts'
import { expiresOption, momentFrom } from './expiry.ts'
import { momentOf, table } from './table.ts'
import { actor, getUser, withDomain } from './withDomain.ts'

class KeyNotFound extends DomainError {
  readonly code = 'cli.key_not_found'
}

export const userKeyCreateCommand: Command = {
  name: 'user key create',
  summary: "A key file by which a service account gets tokens (JWT bearer), in the form that ZITADEL's libraries read",
  operands: 'USER',
  options: {
    expires: expiresOption,
    file: { type: 'string', value: 'PATH', help: 'Where to write it; USERNAME-KEYID.json when left out' },
  },
  async run(invocation) {
    const [name] = operandsOf(invocation, 'USER')
    const given = optionOf(invocation, 'file')
    return withDomain(invocation, async (domain) => {
      const user = await getUser(domain, name)
      const expiresAt = momentFrom(optionOf(invocation, 'expires'), domain.now())
      const keyFile = await domain.users.createKey(user.id, { expiresAt }, actor)
      const file = given ?? `${user.username.replaceAll(/[^\w.-]/g, '_')}-${keyFile.keyId}.json`
      try {
        writeFileSync(file, `${JSON.stringify(keyFile, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
      } catch (error) {
        // A key that nobody has is not kept.
        await domain.users.removeKey(user.id, keyFile.keyId, actor)
        const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST'
        throw new WrongUsage(
          isThere ? `${file} is there already: name another file` : `${file} cannot be written: ${(error as Error).message}`,
        )
      }
      const until = expiresAt ? `until ${momentOf(expiresAt)}` : 'until it is removed'
      return { json: { id: keyFile.keyId, file }, text: [`The key ${keyFile.keyId} of ${user.username} is in ${file} and holds ${until}`] }
    })
  },
}

export const userKeyListCommand: Command = {
  name: 'user key list',
  summary: 'The keys of a service account, without the keys themselves',
  operands: 'USER',
  options: {},
  async run(invocation) {
    const [name] = operandsOf(invocation, 'USER')
    return withDomain(invocation, async (domain) => {
      const { username, machineKeys = [] } = await getUser(domain, name)
      const rows = machineKeys.map(({ id, createdAt, expiresAt }) => [
        id,
        momentOf(new Date(createdAt)),
        expiresAt === undefined ? 'never' : momentOf(new Date(expiresAt)),
      ])
      return {
        json: { keys: machineKeys.map((each) => ({ id: each.id, creationDate: each.createdAt, expirationDate: each.expiresAt })) },
        text: rows.length === 0 ? [`${username} has no keys`] : table(['ID', 'CREATED', 'EXPIRES'], rows),
      }
    })
  },
}

export const userKeyRemoveCommand: Command = {
  name: 'user key remove',
  summary: 'Make a key file worthless at once; "user key list" tells its id',
  operands: 'USER ID',
  options: {},
  async run(invocation) {
    const [name, keyId] = operandsOf(invocation, 'USER', 'ID')
    return withDomain(invocation, async (domain) => {
      const { id, username } = await getUser(domain, name)
      if (!(await domain.users.removeKey(id, keyId, actor))) throw new KeyNotFound(`${username} has no key ${keyId}`)
      return { json: { id: keyId, removed: true }, text: [`The key ${keyId} of ${username} is removed`] }
    })
  },
}
