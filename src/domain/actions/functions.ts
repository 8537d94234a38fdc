import { type ActionFunction, ActionInterrupted, type Target } from './action.ts'
import type { RunTarget } from './run.ts'
import type { ActionStore, StoredActions } from './store.ts'

/** What a target answers, as far as it is heard (contracts/zitadel.md, section 10). */
interface Answer {
  readonly setUserMetadata: readonly { readonly key: string; readonly value: Uint8Array }[]
  readonly appendClaims: readonly { readonly key: string; readonly value: unknown }[]
  readonly appendLogClaims: readonly string[]
  /** What of the answer has another form, and does nothing. */
  readonly refused: readonly string[]
}

export interface FunctionsDeps {
  readonly store: Pick<ActionStore, 'list'>
  readonly runTarget: RunTarget
  readonly setMetadata: (userId: string, values: Answer['setUserMetadata']) => Promise<unknown>
}

export interface Functions {
  /** Reads anew what is configured: to be called whenever the catalogue's revision has moved. */
  load(): Promise<void>
  /** Whether anybody is to be called for `name`: asked before every token, so it costs nothing. */
  isUsed(name: ActionFunction): boolean
  /**
   * Calls the targets of `name`, one after the other, and answers the claims that they add to `claims`, none of which they can replace.
   * @throws ActionInterrupted
   */
  append(name: ActionFunction, call: FunctionCall): Promise<Readonly<Record<string, unknown>>>
}

interface FunctionCall {
  readonly userId: string
  /** What is told already. */
  readonly claims: Readonly<Record<string, unknown>>
  /** What the targets get beside the name of the function. */
  readonly payload: object
}

const reserved = 'urn:zitadel:iam'

/** The functions that targets take part in. */
export function createFunctions({ store, runTarget, setMetadata }: FunctionsDeps): Functions {
  let known: StoredActions = { targets: [], executions: [] }

  function targetsOf(name: ActionFunction): readonly Target[] {
    const ids = known.executions.find(({ condition }) => condition === `function/${name}`)?.targets ?? []
    return ids.flatMap((id) => known.targets.find((each) => each.id === id) ?? [])
  }

  return {
    async load() {
      known = await store.list()
    },

    isUsed: (name) => known.executions.length > 0 && targetsOf(name).length > 0,

    async append(name, { userId, claims, payload }) {
      const appended: Record<string, unknown> = {}
      const log: string[] = []
      for (const target of targetsOf(name)) {
        const outcome = await runTarget(target, `function/${name}`, { function: `function/${name}`, ...payload })
        if (outcome.kind === 'failed') {
          if (target.interruptOnError) throw new ActionInterrupted(target.name)
          continue
        }
        const answer = readAnswer(outcome.body)
        if (typeof answer === 'string') {
          if (target.interruptOnError) throw new ActionInterrupted(target.name)
          log.push(`${target.name}: ${answer}`)
          continue
        }
        for (const { key, value } of answer.appendClaims) {
          if (key.startsWith(reserved)) log.push(`key ${key} is reserved`)
          else if (Object.hasOwn(claims, key) || Object.hasOwn(appended, key)) log.push(`key ${key} already exists`)
          else appended[key] = value
        }
        if (answer.refused.length > 0 && target.interruptOnError) throw new ActionInterrupted(target.name)
        log.push(...answer.appendLogClaims, ...answer.refused.map((reason) => `${target.name}: ${reason}`))
        // One by one: what is wrong with one keeps no other from being set.
        for (const entry of answer.setUserMetadata) {
          await setMetadata(userId, [entry]).catch((error: Error) => log.push(`metadata ${entry.key} was not set: ${error.message}`))
        }
      }
      if (log.length > 0) appended[`${reserved}:action:${name}:log`] = log
      return appended
    },
  }
}

const nothing: Answer = { setUserMetadata: [], appendClaims: [], appendLogClaims: [], refused: [] }

/** The answer, or what is wrong with it. Names are heard in any case; nothing at all is an answer too. */
function readAnswer(body: string | undefined): Answer | string {
  if (body === undefined || body.trim() === '') return nothing
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return 'the answer is not JSON'
  }
  if (json === null || typeof json !== 'object' || Array.isArray(json)) return 'the answer is not an object'
  const members = withPlainNames(json)
  const claims = listOf(members.appendclaims).map(withPlainNames)
  const metadata = listOf(members.setusermetadata).map(withPlainNames)
  const lines = listOf(members.appendlogclaims)
  const isClaim = ({ key }: Record<string, unknown>) => typeof key === 'string' && key !== ''
  const isMetadata = ({ key, value }: Record<string, unknown>) => typeof key === 'string' && isBase64(value)
  const refused = [
    ...claims.filter((each) => !isClaim(each)).map(() => 'a claim has no key'),
    ...metadata.filter((each) => !isMetadata(each)).map(({ key }) => `metadata ${JSON.stringify(key)} has no value in base64`),
    ...lines.filter((line) => typeof line !== 'string').map(() => 'a log claim is no text'),
  ]
  return {
    appendClaims: claims.filter(isClaim).map(({ key, value }) => ({ key: key as string, value })),
    setUserMetadata: metadata
      .filter(isMetadata)
      .map(({ key, value }) => ({ key: key as string, value: Buffer.from(value as string, 'base64') })),
    appendLogClaims: lines.filter((line) => typeof line === 'string'),
    refused,
  }
}

/** Padded or not, of either alphabet. */
const isBase64 = (value: unknown) => typeof value === 'string' && value !== '' && /^[A-Za-z0-9+/_-]*={0,2}$/.test(value)

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Members by their names in lower case, without what joins words. */
const withPlainNames = (value: unknown): Record<string, unknown> =>
  value !== null && typeof value === 'object'
    ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toLowerCase().replaceAll('_', ''), member]))
    : {}
