/** Health: what an orchestrator asks. It says whether, and why not, and never what is inside. */
import type { Endpoint } from '../kit/endpoint.ts'

/** `/healthz`: the process lives. `/readyz`: requests can be served; `ping` throws when they cannot. */
export function healthEndpoints({ ping, isDraining }: { ping: () => Promise<void>; isDraining: () => boolean }): readonly Endpoint[] {
  return [
    {
      method: 'GET',
      path: '/healthz',
      handle(ctx) {
        ctx.set('Cache-Control', 'no-store')
        ctx.body = { status: 'ok' }
      },
    },
    {
      method: 'GET',
      path: '/readyz',
      async handle(ctx) {
        ctx.set('Cache-Control', 'no-store')
        const reason = isDraining() ? 'the server is shutting down' : await ping().then(noReason, (error: Error) => error.message)
        ctx.status = reason === undefined ? 200 : 503
        if (reason !== undefined) ctx.set('Retry-After', '2')
        ctx.body = reason === undefined ? { status: 'ready' } : { status: 'unavailable', reason }
      },
    },
  ]
}

const noReason = () => undefined
