import { newSecret } from '#src/base/ids.ts'
import { hashSecret } from '#src/domain/users/secrets.ts'
import { type Command, operandsOf, optionOf, WrongUsage } from './command.ts'
import { passwordOptions, readPassword } from './secrets.ts'
import { actor, getUser, withDomain } from './withDomain.ts'

const profileOptions = {
  'given-name': 'givenName',
  'family-name': 'familyName',
  'display-name': 'displayName',
  email: 'email',
  phone: 'phone',
  locale: 'locale',
} as const

export const userCreateCommand: Command = {
  name: 'user create',
  summary: 'A new user. A person without a password cannot sign in with one until it is set',
  operands: 'USERNAME',
  options: {
    id: { type: 'string', value: 'ID', help: '24 hexadecimal characters; made when left out' },
    machine: { type: 'boolean', help: 'A service account' },
    'client-secret': { type: 'boolean', help: 'Make a client secret for the service account; it is shown this once' },
    'given-name': { type: 'string', value: 'NAME', help: 'First name' },
    'family-name': { type: 'string', value: 'NAME', help: 'Last name' },
    'display-name': { type: 'string', value: 'NAME', help: 'The name to show' },
    email: { type: 'string', value: 'ADDRESS', help: 'E-mail address' },
    'email-verified': { type: 'boolean', help: 'The address is known to be theirs' },
    phone: { type: 'string', value: 'NUMBER', help: 'Telephone number' },
    locale: { type: 'string', value: 'TAG', help: 'Language, such as en or de-CH' },
    admin: { type: 'boolean', help: 'An administrator' },
    ...passwordOptions,
    'no-password': { type: 'boolean', help: 'Do not ask for a password' },
  },
  async run(invocation) {
    const [username] = operandsOf(invocation, 'USERNAME')
    const { options } = invocation
    const id = optionOf(invocation, 'id')
    if (id !== undefined && !/^[0-9a-f]{24}$/.test(id)) throw new WrongUsage('--id must be 24 hexadecimal characters in lower case')
    const kind = options.machine ? 'machine' : 'human'
    if (kind === 'machine' && (options.password ?? options['password-file']) !== undefined) {
      throw new WrongUsage('a service account has no password; give --client-secret, or make a token with "dossier token create"')
    }
    if (kind === 'human' && options['client-secret']) throw new WrongUsage('--client-secret is for service accounts (--machine)')
    const password = kind === 'machine' || options['no-password'] ? undefined : await readPassword(invocation)
    const secret = options['client-secret'] ? newSecret() : undefined
    const profile = {
      ...Object.fromEntries(
        Object.entries(profileOptions)
          .filter(([option]) => options[option] !== undefined)
          .map(([option, field]) => [field, options[option]]),
      ),
      ...(options['email-verified'] === true && { emailVerified: true }),
    }
    return withDomain(
      invocation,
      async ({ users }) => {
        const secretHash = secret === undefined ? undefined : hashSecret(secret)
        const user = await users.create({ id, kind, username, profile, password, secretHash, admin: options.admin === true }, actor)
        const made = secret === undefined ? {} : { clientSecret: secret }
        return {
          json: { id: user.id, username, ...made },
          text: [
            `Created ${username} with the id ${user.id}`,
            ...(secret === undefined ? [] : [`The client secret, shown this once: ${secret}`]),
            ...(kind === 'human' && password === undefined ? ['There is no password yet: "dossier user set-password" sets one'] : []),
          ],
        }
      },
      { mayCreate: true },
    )
  },
}

export const userSetPasswordCommand: Command = {
  name: 'user set-password',
  summary: 'Set a new password and end every session of the user',
  operands: 'USER',
  options: passwordOptions,
  async run(invocation) {
    const [name] = operandsOf(invocation, 'USER')
    return withDomain(invocation, async (domain) => {
      const { id, username, kind } = await getUser(domain, name)
      if (kind === 'machine') throw new WrongUsage(`${username} is a service account, which has no password`)
      const password = await readPassword(invocation)
      if (password === undefined) throw new WrongUsage('there is no terminal to ask at: give --password-file or --password env:NAME')
      await domain.users.setPassword(id, password, actor)
      return { json: { id, username }, text: [`The password of ${username} is set, and all sessions have ended`] }
    })
  },
}
