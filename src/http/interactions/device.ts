import type { Context, Middleware } from 'koa'
import { renderSVG } from 'uqr'
import type { Throttle } from '#src/domain/users/throttle.ts'
import type { Endpoint } from '../kit/endpoint.ts'
import type { Pages } from '../kit/pages.ts'
import { answerProblem } from '../kit/problems.ts'

/** The form that user codes are made in. */
const userCode = /^[A-Z]{4}-[A-Z]{4}$/

/** `/device/qr?user_code=…`: a QR code of the address that a person opens, for devices that cannot draw one. It tells nobody whether there is such a code. */
export function deviceEndpoints({ issuer, pages }: { issuer: string; pages: Pages }): readonly Endpoint[] {
  const answer = (ctx: Context) => {
    const code = ctx.query.user_code
    if (typeof code !== 'string' || !userCode.test(code)) {
      return answerProblem(ctx, pages, {
        status: 400,
        code: 'invalid_request',
        sentence: 'userCodeForm',
      })
    }
    ctx.type = 'image/svg+xml'
    ctx.set('Cache-Control', 'no-store')
    ctx.body = renderSVG(`${issuer}/device?user_code=${code}`, { ecc: 'M' })
  }
  return [{ method: 'GET', path: '/device/qr', handle: answer }]
}

/** Slows down whoever tries user codes one after the other (RFC 8628, section 5.1). */
export function guardedUserCodes({ throttle, pages }: { throttle: Throttle; pages: Pages }): Middleware {
  return async (ctx, next) => {
    if (ctx.method !== 'POST' || ctx.path !== '/device') return next()
    const wait = await throttle.guess('user_code', ctx.ip)
    if (wait === 0) return next()
    ctx.set('Retry-After', String(wait))
    await answerProblem(ctx, pages, {
      status: 429,
      code: 'slow_down',
      sentence: 'tooManyAttempts',
      facts: { seconds: wait },
    })
  }
}
