import type { Context } from 'koa'
import type { AreaPage } from '../kit/area.ts'
import { curlLine } from '../kit/curl.ts'
import { decode, type Explained, explain } from './explained.ts'
import { answerPath, type PendingRun } from './runs.ts'
import { type SendWithin, type Step, takeSteps } from './steps.ts'

export interface AnswerNeeds {
  readonly issuer: string
  readonly send: SendWithin
  readonly runs: { take(ctx: Context, state: string): PendingRun | undefined }
  readonly redirectUri: string
}

interface ShownToken {
  readonly name: 'idToken' | 'accessToken'
  readonly text: string
  readonly header?: string
  readonly claims?: readonly Explained[]
}

const answerFields = ['code', 'error', 'error_description', 'iss', 'session_state'] as const

/** `/playground/answer`: what an application was answered, and every step that follows. */
export function answerPage({ issuer, send, runs, redirectUri }: AnswerNeeds): AreaPage {
  return {
    method: 'GET',
    path: answerPath,
    async handle(visit) {
      const { ctx, texts } = visit
      const given = new URLSearchParams(ctx.querystring)
      // In the fragment nothing reaches a server: the page passes it on.
      if ([...given.keys()].length === 0) return visit.show('playground/fragment', { scripts: ['playground.js'] })
      const signed = given.get('response')
      const answer = signed === null ? Object.fromEntries(given) : ((decode(signed)?.payload ?? {}) as Readonly<Record<string, unknown>>)
      const run = runs.take(ctx, String(answer.state ?? ''))
      if (!run) return visit.show('playground/refused', { problem: texts.t('playground.answer.gone') }, 400)
      const code = typeof answer.code === 'string' ? answer.code : undefined
      const steps = code === undefined ? [] : await takeSteps(issuer, send, { ...run, code, redirectUri })
      await visit.show('playground/answer', {
        scripts: ['playground.js'],
        again: `/playground?${new URLSearchParams({ client_id: run.clientId })}`,
        clientId: run.clientId,
        signed,
        answer: answerFields.flatMap((name) => (answer[name] === undefined ? [] : [{ name, value: String(answer[name]) }])),
        nonce: run.nonce,
        steps: steps.map((step) => ({ ...step, claims: explainedOf(step) })),
        tokens: steps[0] ? tokensOf(steps[0]) : [],
        isPublic: run.clientSecret === '',
        keysCurl: curlLine({ method: 'GET', address: `${issuer}/oauth/v2/keys` }),
      })

      function explainedOf({ name, json, status }: Step): readonly Explained[] | undefined {
        if (!json || status !== 200 || (name !== 'userinfo' && name !== 'introspection')) return undefined
        return explain(texts, json, name)
      }

      function tokensOf({ json }: Step): readonly ShownToken[] {
        const named = [
          ['idToken', json?.id_token],
          ['accessToken', json?.access_token],
        ] as const
        return named.flatMap(([name, text]) => {
          if (typeof text !== 'string') return []
          const parts = decode(text)
          return [
            { name, text, ...(parts && { header: JSON.stringify(parts.header, null, 1), claims: explain(texts, parts.payload, name) }) },
          ]
        })
      }
    },
  }
}
