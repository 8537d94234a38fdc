import type { AreaPage, Visit } from './area.ts'
import type { SentForm } from './sentForm.ts'

/** What somebody is asked before something that cannot be undone. Texts are in the visitor's language. */
export interface Question {
  readonly title: string
  /** What it does or destroys, in a sentence. */
  readonly what: string
  /** To be typed, so that nobody does it by mistake. */
  readonly name?: string
  /** On the button. */
  readonly submit: string
  /** Nothing is taken away by it: the button does not warn. */
  readonly isGiving?: boolean
  /** Where to go instead: an address. */
  readonly back: string
}

export interface Confirmation {
  readonly path: string
  readonly permission?: AreaPage['permission']
  /** `undefined` when what it is about is not there. */
  readonly ask: (visit: Visit) => Promise<Question | undefined>
  /** Does it, and answers the request. What it throws of the domain is shown above the question. */
  readonly act: (visit: Visit, form: SentForm) => Promise<void>
}

/** A name as somebody types it who reads it on a page, where blanks are one. */
const typed = (name: string) => name.trim().replaceAll(/\s+/g, ' ')

/** Two pages at one path: a question, and what follows when it is answered. Both want a fresh proof of who asks. */
export function confirmation({ path, permission, ask, act }: Confirmation): readonly AreaPage[] {
  const show = (visit: Visit, confirm: Question, problem?: string) => {
    const action = visit.ctx.url
    return visit.show(
      'parts/confirm',
      { confirm: { ...confirm, action }, ...(problem !== undefined && { problem }) },
      problem === undefined ? 200 : 400,
    )
  }
  return [
    {
      method: 'GET',
      path,
      permission,
      isDangerous: true,
      async handle(visit) {
        const question = await ask(visit)
        return question ? show(visit, question) : visit.missing()
      },
    },
    {
      method: 'POST',
      path,
      permission,
      isDangerous: true,
      async handle(visit, form) {
        const question = await ask(visit)
        if (!question) return visit.missing()
        if (question.name !== undefined && typed(form.raw('typed')) !== typed(question.name))
          return show(visit, question, visit.texts.t('parts.confirm.wrong'))
        try {
          await act(visit, form)
        } catch (error) {
          await show(visit, question, visit.problemOf(error))
        }
      },
    },
  ]
}
