import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import { stateOf } from './internals.ts'
import type { EnginePages } from './pages.ts'

type Fields = Readonly<Record<string, string>>

/**
 * The response modes that answer by a form (OAuth 2.0 Form Post Response Mode; JARM), with a page of ours: it has a button, and no script in it, which
 * our content security policy would refuse.
 */
export function installFormPost(provider: Provider, pages: EnginePages): void {
  async function formPost(ctx: KoaContextWithOIDC, action: string, fields: Fields): Promise<void> {
    ctx.status = 'error' in fields ? 400 : 200
    await pages.formPost(ctx, { action, fields })
  }

  async function signedFormPost(ctx: KoaContextWithOIDC, action: string, fields: Fields): Promise<void> {
    const token = new provider.IdToken({}, { ctx } as never)
    Object.assign(token, { extra: fields })
    await formPost(ctx, action, { response: await token.issue({ use: 'authorization' } as never) })
  }

  const { responseModes } = stateOf(provider)
  responseModes.set('form_post', formPost)
  responseModes.set('form_post.jwt', signedFormPost)
}
