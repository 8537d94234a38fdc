import type { Context } from 'koa'
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

const engineForm = /<title>Submitting Callback<\/title>[\s\S]*<form method="post" action="([^"]*)">([\s\S]*?)<noscript>/
const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
const unescaped = (text: string) => text.replace(/&(amp|lt|gt|quot|#39);/g, (_all, name: string) => entities[name] as string)

/**
 * Puts our page in the place of the engine's own form that submits itself by a script in the page: it has one for a device whose code is in the address, for a
 * sign-out without a session, and for another account than the session's.
 */
export async function replaceEngineForm(ctx: Context, pages: EnginePages): Promise<void> {
  const [, action, inputs = ''] = typeof ctx.body === 'string' ? (engineForm.exec(ctx.body) ?? []) : []
  if (action === undefined) return
  const fields = [...inputs.matchAll(/name="([^"]*)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, unescaped(value)])
  await pages.formPost(ctx, { action: unescaped(action), fields: Object.fromEntries(fields) })
}
