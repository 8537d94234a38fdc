import type { Context } from 'koa'

/** What our middleware leaves in `ctx.state` for the rest of a request. */
export interface RequestState {
  /** Also in the log line and, as `X-Request-Id`, in the reply. */
  requestId: string
  /** The languages that an application asked for (`ui_locales`), or that a person came with. */
  uiLocales?: string
}

export const requestIdOf = (ctx: Context): string => (ctx.state as RequestState).requestId
