import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Eta } from 'eta'
import type { Context } from 'koa'
import { accentPath, accentSheet } from './accent.ts'
import type { Endpoint } from './endpoint.ts'
import type { MessageTexts, Texts } from './messages.ts'

const views = new URL('../../../views/', import.meta.url)

/** What the operator's organization looks like. */
interface Look {
  readonly name: string
  /** An https address, or a `data:` URI. */
  readonly logoUri?: string
  /** `#rrggbb`. */
  readonly accentColor?: string
}

export interface PagesOptions {
  /** Read anew for each page. */
  readonly look: () => Promise<Look>
  readonly messages: MessageTexts
}

const types = {
  'style.css': 'text/css; charset=utf-8',
  'pages.js': 'text/javascript; charset=utf-8',
  'playground.js': 'text/javascript; charset=utf-8',
  'submit.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const

/** In reach of every template, beside `it`. */
const header = 'const { t, rich, moment, day, number, bytes } = it.texts ?? {};'

/** Renders the templates of `views/`, each inside a layout, and serves the files that they use. */
export function createPages({ look, messages }: PagesOptions) {
  const eta = new Eta({ views: decodeURIComponent(views.pathname), cache: true, autoEscape: true, autoTrim: false, functionHeader: header })
  const files = Object.entries(types).map(([name, type]) => {
    const content = readFileSync(new URL(`assets/${name}`, views))
    const version = createHash('sha256').update(content).digest('hex').slice(0, 12)
    return { name, type, content, path: `/assets/${name.replace('.', `-${version}.`)}` }
  })
  const assets = Object.fromEntries(files.map(({ name, path }) => [name, path]))

  return {
    /** The texts for whoever sent a request. */
    textsFor: (ctx: Context): Texts => messages.for(ctx),
    /** For programs, and for texts that are compared. */
    englishTexts: messages.in(['en']),

    /** Answers with a page. Pages hold what belongs to one person at one moment: they are not kept anywhere. */
    async show(ctx: Context, template: string, data: Record<string, unknown>, status = 200): Promise<void> {
      const { name, logoUri, accentColor } = await look()
      ctx.status = status
      ctx.type = 'text/html; charset=utf-8'
      ctx.set('Cache-Control', 'no-store')
      ctx.vary('Accept-Language')
      const accent = accentColor && accentPath(accentColor)
      ctx.body = eta.render(`./${template}`, { ...data, texts: messages.for(ctx), assets, accent, siteName: name, siteLogo: logoUri })
    },

    /** Style sheets and scripts, each under a name that changes with it. */
    assets: [
      ...files.map(({ path, type, content }) => kept(path, type, () => content)),
      kept('/assets/:accent', types['style.css'], (ctx) => accentSheet(ctx.params.accent)),
    ],
  }
}

/** An address whose content never changes. */
function kept(path: string, type: string, contentOf: (ctx: Context) => string | Buffer | undefined): Endpoint {
  return {
    method: 'GET',
    path,
    handle(ctx) {
      const content = contentOf(ctx)
      if (content === undefined) return
      ctx.type = type
      ctx.set('Cache-Control', 'public, max-age=31536000, immutable')
      ctx.body = content
    },
  }
}

export type Pages = ReturnType<typeof createPages>
