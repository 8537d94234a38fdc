import { DomainError } from '#src/base/errors.ts'
import { type Command, operandsOf, optionOf, WrongUsage } from './command.ts'
import { expiresOption, momentFrom } from './expiry.ts'
import { momentOf, table } from './table.ts'
import { actor, withDomain } from './withDomain.ts'

class TokenNotFound extends DomainError {
  readonly code = 'cli.registration_token_not_found'
}

export const registrationTokenCreateCommand: Command = {
  name: 'registration-token create',
  summary: 'An initial access token, by which an application registers itself; it is shown this once',
  operands: '',
  options: {
    expires: expiresOption,
    name: { type: 'string', value: 'TEXT', help: 'Whom it is for' },
    uses: { type: 'string', value: 'NUMBER', help: 'How many applications may register with it, 1 to 1000; any number when left out' },
  },
  async run(invocation) {
    operandsOf(invocation)
    const uses = usesFrom(optionOf(invocation, 'uses'))
    return withDomain(invocation, async ({ registrationTokens, now }) => {
      const expiresAt = momentFrom(optionOf(invocation, 'expires'), now())
      const created = await registrationTokens.create({ name: optionOf(invocation, 'name') ?? 'token', uses, expiresAt }, actor)
      const until = expiresAt ? `until ${momentOf(expiresAt)}` : 'until it is revoked'
      const times = uses === undefined ? '' : uses === 1 ? 'for one application, ' : `for ${uses} applications, `
      return { json: created, text: [created.token, `The token ${created.id} holds ${times}${until}. It is shown this once.`] }
    })
  },
}

/** @throws WrongUsage */
function usesFrom(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const uses = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (uses < 1 || uses > 1000) throw new WrongUsage('--uses must be a number from 1 to 1000')
  return uses
}

export const registrationTokenListCommand: Command = {
  name: 'registration-token list',
  summary: 'The initial access tokens that still work, without the tokens themselves',
  operands: '',
  options: {},
  async run(invocation) {
    operandsOf(invocation)
    return withDomain(invocation, async ({ registrationTokens }) => {
      const tokens = await registrationTokens.list()
      const rows = tokens.map((each) => [
        each.id,
        momentOf(each.createdAt),
        momentOf(each.expiresAt) || 'never',
        String(each.uses ?? 'any'),
        each.name,
      ])
      return {
        json: {
          tokens: tokens.map((each) => ({
            id: each.id,
            name: each.name,
            uses: each.uses,
            creationDate: each.createdAt,
            expirationDate: each.expiresAt,
          })),
        },
        text: rows.length === 0 ? ['There are no registration tokens'] : table(['ID', 'CREATED', 'EXPIRES', 'USES', 'NAME'], rows),
      }
    })
  },
}

export const registrationTokenRevokeCommand: Command = {
  name: 'registration-token revoke',
  summary: 'End an initial access token at once; what was registered with it stays',
  operands: 'ID',
  options: {},
  async run(invocation) {
    const [id] = operandsOf(invocation, 'ID')
    return withDomain(invocation, async ({ registrationTokens }) => {
      if (!(await registrationTokens.revoke(id, actor))) throw new TokenNotFound(`there is no registration token ${id}`)
      return { json: { id, revoked: true }, text: [`The registration token ${id} is revoked`] }
    })
  },
}
