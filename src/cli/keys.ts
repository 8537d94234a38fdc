import { DomainError } from '#src/base/errors.ts'
import type { Domain } from '#src/composeDomain.ts'
import type { SigningAlgorithm } from '#src/domain/applications/application.ts'
import { longestTokenSecondsOf, publishAheadSeconds, SuccessorWaits } from '#src/domain/keys/keys.ts'
import { type Command, operandsOf, optionOf, WrongUsage } from './command.ts'
import { momentOf, table } from './table.ts'
import { confirm } from './terminal.ts'
import { actor, withDomain } from './withDomain.ts'

class KeyNotFound extends DomainError {
  readonly code = 'cli.key_not_found'
}

class KeyInUse extends DomainError {
  readonly code = 'cli.key_in_use'
}

class KeyWaits extends DomainError {
  readonly code = 'cli.key_waits'
}

const algorithms = ['RS256', 'ES256', 'EdDSA', 'PS256'] as const satisfies readonly SigningAlgorithm[]

type ListedKey = Awaited<ReturnType<Domain['keys']['list']>>[number]

const keyJson = ({ kid, algorithm, phase, createdAt, activeFrom, publishedUntil }: ListedKey) => ({
  kid,
  algorithm,
  phase,
  creationDate: createdAt,
  activeFrom,
  publishedUntil,
})

export const keysListCommand: Command = {
  name: 'keys list',
  summary: 'Signing keys: published (not signing yet), signing, or retired (published until its tokens are gone)',
  operands: '',
  options: {},
  async run(invocation) {
    operandsOf(invocation)
    return withDomain(invocation, async ({ keys }) => {
      const all = await keys.list()
      const rows = all.map((key) => [key.kid, key.algorithm, key.phase, momentOf(key.activeFrom), momentOf(key.publishedUntil)])
      const none = ['There are no keys yet: the server makes them at its first start']
      return {
        json: { keys: all.map(keyJson) },
        text: rows.length === 0 ? none : table(['KID', 'ALGORITHM', 'PHASE', 'SIGNS FROM', 'PUBLISHED UNTIL'], rows),
      }
    })
  },
}

export const keysRotateCommand: Command = {
  name: 'keys rotate',
  summary: `Make a successor to each current key: published at once, signing in ${publishAheadSeconds / 60} minutes`,
  operands: '',
  options: {
    algorithm: { type: 'string', value: algorithms.join('|'), help: 'Only the keys of this algorithm' },
    now: {
      type: 'boolean',
      help: 'Sign with the successors at once, also with those that wait: who keeps the old key set will refuse tokens until it reads the new one',
    },
  },
  async run(invocation) {
    operandsOf(invocation)
    const asked = optionOf(invocation, 'algorithm')
    const algorithm = algorithms.find((each) => each === asked)
    if (asked !== undefined && !algorithm) throw new WrongUsage(`--algorithm must be ${algorithms.join(' or ')}`)
    return withDomain(invocation, async ({ keys, catalogue }) => {
      const longestTokenSeconds = longestTokenSecondsOf((await catalogue.root()).settings)
      const aheadSeconds = invocation.options.now ? 0 : publishAheadSeconds
      const successors = await keys.rotate({ algorithm, aheadSeconds, longestTokenSeconds }, actor).catch((cause: unknown) => {
        if (!(cause instanceof SuccessorWaits)) throw cause
        throw new KeyWaits(`${cause.message}; "dossier keys rotate --now" lets it sign at once`, { cause })
      })
      if (successors.length === 0)
        throw new KeyNotFound(`there is no ${algorithm ?? 'signing'} key to rotate: the server makes it when it is needed`)
      const kids = new Set(successors.map(({ kid }) => kid))
      const made = (await keys.list()).filter(({ kid }) => kids.has(kid))
      return {
        json: { keys: made.map(keyJson) },
        text: made.map(
          (key) => `${key.algorithm}: ${key.kid} signs ${invocation.options.now ? 'now' : `from ${momentOf(key.activeFrom)} on`}`,
        ),
      }
    })
  },
}

export const keysRetireCommand: Command = {
  name: 'keys retire',
  summary: 'Take a former key away at once: what it has signed is no longer accepted',
  operands: 'KID',
  options: { yes: { type: 'boolean', help: 'Do not ask' } },
  async run(invocation) {
    const [kid] = operandsOf(invocation, 'KID')
    return withDomain(invocation, async ({ keys }) => {
      const key = (await keys.list()).find((each) => each.kid === kid)
      if (!key) throw new KeyNotFound(`there is no key ${kid}`)
      const inUse = () => new KeyInUse(`${kid} signs now; make it a successor with "dossier keys rotate --now" first`)
      if (key.phase === 'signing') throw inUse()
      await confirm(invocation, `This takes the ${key.algorithm} key ${kid} away, and what it has signed is refused from then on`)
      if (!(await keys.retire(kid, actor))) throw inUse()
      return { json: { kid, retired: true }, text: [`The key ${kid} is gone`] }
    })
  },
}
