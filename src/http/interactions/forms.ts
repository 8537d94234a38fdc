import type { Context } from 'koa'
import type { Interaction, Interactions } from '#src/engine/interactions.ts'
import { applicationName } from '../kit/applicationName.ts'
import { readForm } from '../kit/body.ts'
import type { RequestState } from '../kit/context.ts'
import type { Csrf } from '../kit/csrf.ts'
import type { Pages } from '../kit/pages.ts'
import { answerProblem } from '../kit/problems.ts'

export type Form = ReadonlyMap<string, string>

export type InteractionForms = ReturnType<typeof createInteractionForms>

/** Forms of an interaction: each belongs to one browser and to one interaction of it. */
export function createInteractionForms({
  interactions,
  csrf,
  pages,
}: {
  readonly interactions: Pick<Interactions, 'find'>
  readonly csrf: Csrf
  readonly pages: Pages
}) {
  const purpose = (interaction: Interaction) => `interaction:${interaction.uid}`

  /** The interaction of this browser; its pages speak the language that the application asked for. */
  async function found(ctx: Context): Promise<Interaction | undefined> {
    const interaction = await interactions.find(ctx)
    if (interaction?.uiLocales !== undefined) (ctx.state as RequestState).uiLocales = interaction.uiLocales
    return interaction
  }

  const gone = (ctx: Context) => answerProblem(ctx, pages, { status: 400, code: 'session_not_found', sentence: 'signInGone' })
  const notAccepted = (ctx: Context) => answerProblem(ctx, pages, { status: 403, code: 'form_not_accepted', sentence: 'formNotAccepted' })

  return {
    found,
    gone,

    /** Tells a program how long to wait, and answers what a person is told. The answer goes with 429. */
    tooMany(ctx: Context, seconds: number): string {
      ctx.set('Retry-After', String(seconds))
      return pages.textsFor(ctx).t('interactions.signIn.tooMany', { seconds })
    },

    /** What every page of an interaction is given. */
    common: (ctx: Context, interaction: Interaction) => ({
      interaction: {
        ...interaction,
        applicationName: applicationName(pages.textsFor(ctx), interaction.clientId, interaction.applicationName),
      },
      csrf: csrf.token(ctx, purpose(interaction)),
    }),

    /** Runs `handle` while there is an interaction in this browser. */
    opened: (handle: (ctx: Context, interaction: Interaction) => Promise<void>) => async (ctx: Context) => {
      const interaction = await found(ctx)
      return interaction ? handle(ctx, interaction) : gone(ctx)
    },

    /** Runs `handle` when the form belongs to the interaction of this browser, and was made by us for it. */
    submitted: (handle: (ctx: Context, interaction: Interaction, form: Form) => Promise<void>) => async (ctx: Context) => {
      const form = await readForm(ctx)
      const interaction = await found(ctx)
      if (!interaction) return gone(ctx)
      return csrf.accepts(ctx, purpose(interaction), form.get('csrf')) ? handle(ctx, interaction, form) : notAccepted(ctx)
    },

    /** Runs `handle` for a form that stands by itself, when it was made by us for this browser. */
    alone: (name: string, handle: (ctx: Context, form: Form) => Promise<void>) => async (ctx: Context) => {
      const form = await readForm(ctx)
      return csrf.accepts(ctx, name, form.get('csrf')) ? handle(ctx, form) : notAccepted(ctx)
    },
  }
}
