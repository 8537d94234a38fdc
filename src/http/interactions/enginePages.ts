import type { Context } from 'koa'
import type { EnginePages } from '#src/engine/pages.ts'
import { applicationName } from '../kit/applicationName.ts'
import { requestIdOf } from '../kit/context.ts'
import { setSecurityHeaders } from '../kit/headers.ts'
import type { Pages } from '../kit/pages.ts'

/** The engine's own pages in our templates. */
export function createEnginePages(pages: Pages): EnginePages {
  const called = (ctx: Context, application: { readonly clientId: string; readonly name?: string } | undefined) =>
    application && applicationName(pages.textsFor(ctx), application.clientId, application.name)

  return {
    async error(ctx, { code, description }) {
      const { t } = pages.textsFor(ctx)
      const title = t(ctx.path.startsWith('/oidc/v1/end_session') ? 'problems.title.logoutError' : 'problems.title.requestError')
      const sentence = description ?? t('problems.notHandled')
      await pages.show(ctx, 'interactions/error', { title, code, sentence, requestId: requestIdOf(ctx) }, ctx.status)
    },
    signOut: (ctx, { application, ...facts }) =>
      pages.show(ctx, 'interactions/sign-out', { ...facts, applicationName: called(ctx, application) }),
    signedOut: (ctx, { application, ...facts }) =>
      pages.show(ctx, 'interactions/signed-out', { ...facts, applicationName: called(ctx, application) }),
    formPost(ctx, facts) {
      // Whatever was added for a script in the page is not needed.
      setSecurityHeaders(ctx)
      return pages.show(ctx, 'interactions/form-post', { ...facts }, ctx.status)
    },
    userCode: (ctx, { problem, userCode = '', ...facts }) =>
      pages.show(
        ctx,
        'interactions/user-code',
        { ...facts, userCode, problem: problem && pages.textsFor(ctx).t(`interactions.codeProblem.${problem}`) },
        problem ? 400 : 200,
      ),
    confirmDevice: (ctx, facts) => pages.show(ctx, 'interactions/confirm-device', { ...facts }),
    deviceDone: (ctx, facts) => pages.show(ctx, 'interactions/device-done', { ...facts }),
  }
}
