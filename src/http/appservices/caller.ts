import type { Context } from 'koa'
import { AppRefused } from '#src/domain/apps/failures.ts'
import type { CallerFacts } from '#src/domain/apps/functions.ts'
import { requestIdOf } from '../kit/context.ts'

/** What is known of the request that a call came by. */
export const factsOf = (ctx: Context): CallerFacts => ({ address: ctx.ip, userAgent: ctx.get('User-Agent'), requestId: requestIdOf(ctx) })

/** The token of the request. @throws AppRefused */
export function bearerOf(ctx: Context): string {
  const token = /^bearer +(\S+) *$/i.exec(ctx.get('Authorization'))?.[1]
  if (token === undefined) throw new AppRefused(401, 'MissingAuthReq', 'unauthorized')
  return token
}
