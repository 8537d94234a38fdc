import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Eta } from 'eta'
import type { Context } from 'koa'
import type { Endpoint } from './endpoint.ts'

const views = new URL('../../../views/', import.meta.url)

export interface PagesOptions {
  /** The name that the pages carry, read anew for each. */
  readonly siteName: () => Promise<string>
}

/** Renders the templates of `views/`, each inside the layout, and serves the style sheet that they use. */
export function createPages({ siteName }: PagesOptions) {
  const eta = new Eta({ views: decodeURIComponent(views.pathname), cache: true, autoEscape: true, autoTrim: false })
  const style = readFileSync(new URL('assets/style.css', views))
  const stylePath = `/assets/style-${createHash('sha256').update(style).digest('hex').slice(0, 12)}.css`

  return {
    /** Answers with a page. Pages hold what belongs to one person at one moment: they are not kept anywhere. */
    async show(ctx: Context, template: string, data: Record<string, unknown>, status = 200): Promise<void> {
      ctx.status = status
      ctx.type = 'text/html; charset=utf-8'
      ctx.set('Cache-Control', 'no-store')
      ctx.body = eta.render(`./${template}`, { ...data, stylePath, siteName: await siteName() })
    },

    /** The style sheet, under a name that changes with it. */
    assets: [
      {
        method: 'GET',
        path: stylePath,
        handle(ctx) {
          ctx.type = 'text/css; charset=utf-8'
          ctx.set('Cache-Control', 'public, max-age=31536000, immutable')
          ctx.body = style
        },
      },
    ] satisfies readonly Endpoint[],
  }
}

export type Pages = ReturnType<typeof createPages>
