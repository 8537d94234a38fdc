/**
 * Functions: an app's own code, run in worker threads, each call in a thread of its own for as long as it takes. This is isolation against mistakes (loops, memory, a broken
 * global), not against hostile code: whoever may push functions is trusted as an operator is (docs/app-services.md).
 *
 * Owns threads, their limits and the way in and out. What functions may do outside is asked of `FunctionHost`. Knows no HTTP and no database.
 */
import { EJSON } from 'bson'
import { Busy } from '#src/base/errors.ts'
import { newObjectId } from '#src/base/ids.ts'
import type { AppView } from '#src/domain/apps/app.ts'
import { type CallFunction, type FunctionCall, FunctionFailed, FunctionNotFound } from '#src/domain/apps/functions.ts'
import type { AppUser } from '#src/domain/apps/userObject.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { createPool, type Thread } from './pool.ts'

/** What a function asks of the outside, on behalf of whom. */
interface Asked {
  readonly call: FunctionCall
  /** The system's rights, whoever called. */
  readonly isSystem: boolean
  readonly user: AppUser
}

export interface FunctionHost {
  /** A method of a collection, as the documentation of functions has them. */
  documents(
    asked: Asked,
    operation: {
      readonly service: string
      readonly database: string
      readonly collection: string
      readonly method: string
      readonly parameters: readonly unknown[]
    },
  ): Promise<unknown>
  http(request: {
    readonly method: string
    readonly url: string
    readonly headers: Readonly<Record<string, unknown>>
    readonly body?: string
    readonly isForm: boolean
    readonly followRedirects: boolean
  }): Promise<{
    readonly statusCode: number
    readonly status: string
    readonly headers: Readonly<Record<string, readonly string[]>>
    readonly body: string
  }>
  valuesOf(view: AppView): Readonly<Record<string, unknown>>
  log(entry: { readonly view: AppView; readonly level: 'info' | 'warn' | 'error'; readonly name: string; readonly text: string }): void
}

export interface FunctionLimits {
  /** How long a call may take. */
  readonly milliseconds: number
  readonly megabytes: number
  /** Calls at once; further ones wait. */
  readonly threads: number
  /** Calls that wait; further ones are refused. */
  readonly waiting: number
}

export interface FunctionRunner {
  readonly callFunction: CallFunction
  /** Ends all threads. */
  stop(): Promise<void>
}

export function createFunctionRunner({ host, limits }: { host: FunctionHost; limits: FunctionLimits }): FunctionRunner {
  const pool = createPool({ limits, refuse: () => new Busy('functions') })

  const callFunction: CallFunction = async (call) => {
    const { view, name } = call
    if (!view.configuration.functions.has(name)) throw new FunctionNotFound(name)
    const message = messageOf(call, host.valuesOf(view))
    const text = await pool.run((thread) => converse(thread, message, call))
    return EJSON.parse(`[${text}]`, { relaxed: true })[0]
  }

  /** One call in a thread, until it is answered or the thread is no more. */
  function converse(thread: Thread, message: Extract<ToWorker, { kind: 'call' }>, call: FunctionCall): Promise<string> {
    return new Promise((resolve, reject) => {
      thread.start(message, {
        milliseconds: limits.milliseconds,
        onMessage: (answer: FromWorker) => {
          if (answer.call !== message.id) return
          if (answer.kind === 'done') resolve(answer.text)
          else if (answer.kind === 'failed') reject(failureOf(answer.text))
          else if (answer.kind === 'log') host.log({ view: call.view, level: answer.level, name: answer.name, text: answer.text })
          else void reply(thread, answer, call)
        },
        onEnd: (reason) => reject(reason),
      })
    })
  }

  async function reply(
    thread: Thread,
    { call: id, number, text }: Extract<FromWorker, { kind: 'ask' }>,
    call: FunctionCall,
  ): Promise<void> {
    const answer = (ok: boolean, value: string) => thread.post({ kind: 'answer', call: id, number, ok, text: value })
    try {
      const value = await perform(EJSON.parse(text, { relaxed: false }) as Question, call)
      answer(true, value === undefined ? '' : EJSON.stringify(value, { relaxed: false }))
    } catch (error) {
      answer(false, (error as Error).message)
    }
  }

  function perform(question: Question, call: FunctionCall): Promise<unknown> {
    if (question.kind === 'http') return host.http(question)
    const { isSystem, service, database, collection, method, parameters } = question
    return host.documents({ call, isSystem, user: call.user }, { service, database, collection, method, parameters })
  }

  return { callFunction, stop: () => pool.stop() }
}

type Question =
  | ({ readonly kind: 'documents'; readonly isSystem: boolean } & Parameters<FunctionHost['documents']>[1])
  | ({ readonly kind: 'http' } & Parameters<FunctionHost['http']>[0])

function messageOf(
  { view, name, arguments: parameters, user, facts }: FunctionCall,
  values: Readonly<Record<string, unknown>>,
): Extract<ToWorker, { kind: 'call' }> {
  const { app, configuration } = view
  const text = {
    name,
    parameters,
    isSystem: user.type === 'system',
    user,
    values,
    environment: configuration.environment,
    app: { id: app.id, clientAppId: app.clientAppId, name: app.name },
    services: [...configuration.dataSources.keys()],
    request: {
      remoteIPAddress: facts?.address ?? '',
      httpUserAgent: facts?.userAgent ?? '',
      requestId: facts?.requestId ?? '',
      service: '',
    },
  }
  return {
    kind: 'call',
    id: newObjectId(),
    app: `${app.id} ${app.changedAt.getTime()}`,
    functions: [...configuration.functions.values()].map((each) => ({
      name: each.name,
      source: each.source,
      isSystem: each.run_as_system === true,
    })),
    name,
    text: EJSON.stringify(text, { relaxed: false }),
  }
}

function failureOf(text: string): FunctionFailed {
  const [name, message, stack] = JSON.parse(text) as [string, string, string]
  const errorCode = name === 'FunctionSyntaxError' ? name : 'FunctionExecutionError'
  return new FunctionFailed(message === '' ? name : message, { errorCode, cause: stack })
}
