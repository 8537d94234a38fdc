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

const types = {
  'style.css': 'text/css; charset=utf-8',
  'submit.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const

/** Renders the templates of `views/`, each inside the layout, and serves the files that they use. */
export function createPages({ siteName }: PagesOptions) {
  const eta = new Eta({ views: decodeURIComponent(views.pathname), cache: true, autoEscape: true, autoTrim: false })
  const files = Object.entries(types).map(([name, type]) => {
    const content = readFileSync(new URL(`assets/${name}`, views))
    const version = createHash('sha256').update(content).digest('hex').slice(0, 12)
    return { name, type, content, path: `/assets/${name.replace('.', `-${version}.`)}` }
  })
  const assets = Object.fromEntries(files.map(({ name, path }) => [name, path]))

  return {
    /** Answers with a page. Pages hold what belongs to one person at one moment: they are not kept anywhere. */
    async show(ctx: Context, template: string, data: Record<string, unknown>, status = 200): Promise<void> {
      ctx.status = status
      ctx.type = 'text/html; charset=utf-8'
      ctx.set('Cache-Control', 'no-store')
      ctx.body = eta.render(`./${template}`, { ...data, assets, siteName: await siteName() })
    },

    /** Style sheet and scripts, each under a name that changes with it. */
    assets: files.map(
      ({ path, type, content }): Endpoint => ({
        method: 'GET',
        path,
        handle(ctx) {
          ctx.type = type
          ctx.set('Cache-Control', 'public, max-age=31536000, immutable')
          ctx.body = content
        },
      }),
    ),
  }
}

export type Pages = ReturnType<typeof createPages>
