import type { EnginePages } from '#src/engine/pages.ts'
import { requestIdOf } from '../kit/context.ts'
import { setSecurityHeaders } from '../kit/headers.ts'
import type { Pages } from '../kit/pages.ts'

const codeProblems = {
  notFound: 'There is no such code. Check it and try again.',
  expired: 'This code has expired. Start again on the device.',
  used: 'This code has been used already. Start again on the device.',
  inUse: 'Somebody is signing in with this code right now. If that is not you, start again on the device.',
  denied: 'The request was refused.',
  failed: 'That did not work. Enter the code again.',
} as const

/** The engine's own pages in our templates. */
export function createEnginePages(pages: Pages): EnginePages {
  return {
    async error(ctx, { code, description }) {
      const title = ctx.path.startsWith('/oidc/v1/end_session') ? 'Logout error' : 'Request error'
      const sentence = description ?? 'The request could not be handled.'
      await pages.show(ctx, 'interactions/error', { title, code, sentence, requestId: requestIdOf(ctx) }, ctx.status)
    },
    signOut: (ctx, facts) => pages.show(ctx, 'interactions/sign-out', { ...facts }),
    signedOut: (ctx, facts) => pages.show(ctx, 'interactions/signed-out', { ...facts }),
    formPost(ctx, facts) {
      // Whatever was added for a script in the page is not needed.
      setSecurityHeaders(ctx)
      return pages.show(ctx, 'interactions/form-post', { ...facts }, ctx.status)
    },
    userCode: (ctx, { problem, userCode = '', ...facts }) =>
      pages.show(ctx, 'interactions/user-code', { ...facts, userCode, problem: problem && codeProblems[problem] }, problem ? 400 : 200),
    confirmDevice: (ctx, facts) => pages.show(ctx, 'interactions/confirm-device', { ...facts }),
    deviceDone: (ctx, facts) => pages.show(ctx, 'interactions/device-done', { ...facts }),
  }
}
