/** What clients may call: functions that are not private, and the data source by the rules. */

import type { DocumentChange } from '../documents/store.ts'
import type { Expression, Surroundings } from '../rules/expressions.ts'
import type { AppView } from './app.ts'
import type { DataService } from './dataService.ts'
import { AppRefused, missingParameter } from './failures.ts'
import { type CallerFacts, type CallFunction, FunctionNotFound } from './functions.ts'
import type { AppUser } from './userObject.ts'

export interface ClientCallsDeps {
  readonly callFunction: CallFunction
  readonly dataService: Pick<DataService, 'byName' | 'watch'>
  readonly valuesOf: (view: AppView) => Readonly<Record<string, unknown>>
  readonly holds: (expression: Expression, surroundings: Surroundings) => boolean
}

/** What a client asks, as it came: names, and arguments as BSON values. */
export interface ClientCall {
  readonly name?: unknown
  readonly arguments?: unknown
  readonly service?: unknown
}

export type ClientCalls = ReturnType<typeof createClientCalls>

export function createClientCalls({ callFunction, dataService, valuesOf, holds }: ClientCallsDeps) {
  function assertMayCall(view: AppView, name: string, user: AppUser, parameters: readonly unknown[], facts: CallerFacts): void {
    const found = view.configuration.functions.get(name)
    if (!found || found.private) throw new FunctionNotFound(name)
    if (found.can_evaluate === undefined || (typeof found.can_evaluate === 'object' && Object.keys(found.can_evaluate).length === 0)) return
    const request = { remoteIPAddress: facts.address, httpUserAgent: facts.userAgent ?? '' }
    const surroundings: Surroundings = {
      user,
      values: valuesOf(view),
      environment: view.configuration.environment,
      request,
      root: { arguments: parameters },
    }
    if (!holds(found.can_evaluate, surroundings))
      throw new AppRefused(403, 'FunctionNotFound', `the rules of function '${name}' do not let you call it`)
  }

  function argumentsOf(call: ClientCall): { readonly name: string; readonly parameters: readonly unknown[] } {
    if (typeof call.name !== 'string' || call.name === '') throw missingParameter('name')
    return { name: call.name, parameters: Array.isArray(call.arguments) ? call.arguments : [] }
  }

  /** The one argument that a method of the data source has. */
  const onlyOf = (parameters: readonly unknown[]) => (parameters[0] ?? {}) as Readonly<Record<string, unknown>>

  return {
    /** @throws AppRefused, FunctionFailed, FunctionNotFound, DocumentsRefused, Busy */
    async call(view: AppView, user: AppUser, call: ClientCall, facts: CallerFacts): Promise<unknown> {
      const { name, parameters } = argumentsOf(call)
      if (typeof call.service === 'string' && call.service !== '') {
        return dataService.byName({ view, user, isSystem: false, facts }, call.service, name, onlyOf(parameters))
      }
      assertMayCall(view, name, user, parameters, facts)
      return callFunction({ view, name, arguments: parameters, user, facts })
    },

    /** A stream of changes: `watch` of the data source. @throws AppRefused */
    async watch(
      view: AppView,
      user: AppUser,
      call: ClientCall,
      facts: CallerFacts,
      signal: AbortSignal,
    ): Promise<AsyncIterable<DocumentChange>> {
      const { name, parameters } = argumentsOf(call)
      if (name !== 'watch' || typeof call.service !== 'string')
        throw new AppRefused(400, 'BadRequest', 'only watch of a data source is a stream')
      return dataService.watch({ view, user, isSystem: false, facts }, call.service, onlyOf(parameters), signal)
    },
  }
}
