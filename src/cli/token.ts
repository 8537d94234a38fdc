import { DomainError } from '#src/base/errors.ts'
import { type Command, operandsOf, optionOf } from './command.ts'
import { expiresOption, momentFrom } from './expiry.ts'
import { momentOf, table } from './table.ts'
import { actor, getUser, withDomain } from './withDomain.ts'

class TokenNotFound extends DomainError {
  readonly code = 'cli.token_not_found'
}

export const tokenCreateCommand: Command = {
  name: 'token create',
  summary: 'A new personal access token, which is shown this once; USER is an id or a username',
  operands: 'USER',
  options: {
    expires: expiresOption,
    name: { type: 'string', value: 'TEXT', help: 'What it is for' },
  },
  async run(invocation) {
    const [name] = operandsOf(invocation, 'USER')
    return withDomain(invocation, async (domain) => {
      const expiresAt = momentFrom(optionOf(invocation, 'expires'), domain.now())
      const user = await getUser(domain, name)
      const created = await domain.users.createToken(user.id, { name: optionOf(invocation, 'name') ?? 'token', expiresAt }, actor)
      const until = expiresAt ? `until ${momentOf(expiresAt)}` : 'until it is revoked'
      return { json: created, text: [created.token, `The token ${created.id} of ${user.username} holds ${until}. It is shown this once.`] }
    })
  },
}

export const tokenListCommand: Command = {
  name: 'token list',
  summary: 'The personal access tokens of a user, without the tokens themselves',
  operands: 'USER',
  options: {},
  async run(invocation) {
    const [name] = operandsOf(invocation, 'USER')
    return withDomain(invocation, async (domain) => {
      const { id, username } = await getUser(domain, name)
      const tokens = await domain.users.listTokens(id)
      const rows = tokens.map((token) => [token.id, momentOf(token.createdAt), momentOf(token.expiresAt) || 'never', token.name])
      return {
        json: {
          tokens: tokens.map((each) => ({ id: each.id, name: each.name, creationDate: each.createdAt, expirationDate: each.expiresAt })),
        },
        text: rows.length === 0 ? [`${username} has no tokens`] : table(['ID', 'CREATED', 'EXPIRES', 'NAME'], rows),
      }
    })
  },
}

export const tokenRevokeCommand: Command = {
  name: 'token revoke',
  summary: 'End a personal access token at once; "token list" tells its id',
  operands: 'USER ID',
  options: {},
  async run(invocation) {
    const [name, tokenId] = operandsOf(invocation, 'USER', 'ID')
    return withDomain(invocation, async (domain) => {
      const { id, username } = await getUser(domain, name)
      if (!(await domain.users.revokeToken(id, tokenId, actor))) throw new TokenNotFound(`${username} has no token ${tokenId}`)
      return { json: { id: tokenId, revoked: true }, text: [`The token ${tokenId} of ${username} is revoked`] }
    })
  },
}
