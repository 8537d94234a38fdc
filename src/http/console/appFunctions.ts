/** Functions of an App Services app: their sources, which are looked at before they are kept, and who may call them. */
import type { AppView } from '#src/domain/apps/app.ts'
import { functionEdit, functionIn } from '#src/domain/apps/editing.ts'
import type { SyntaxFault } from '#src/domain/apps/functions.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { confirmation } from '../kit/confirmation.ts'
import type { Texts } from '../kit/messages.ts'
import type { SentForm } from '../kit/sentForm.ts'
import { type AppPlace, type Facts, jsonText, markOf, textOf } from './appPlace.ts'

export interface FunctionsNeeds {
  readonly place: AppPlace
  /** Why a source does not compile; nothing of it runs. */
  readonly findSyntaxFault: (source: string) => SyntaxFault | undefined
}

/** A form with a source: it is sent with every line end as two bytes, and each as three characters. */
export const sourceLimitBytes = 2 * 1024 * 1024

const newSource = `exports = async function (...args) {
  return args
}
`

/** What a form about a function is made of. */
export const functionPart = (view: AppView, name: string): string => {
  const found = view.configuration.functions.get(name)
  return found ? `${jsonText(functionIn(view, name))}\n\n${found.source}` : ''
}

/** What somebody is told of a source that does not compile. */
export function syntaxText({ t }: Pick<Texts, 't'>, { message, line, column }: SyntaxFault): string {
  if (line === undefined) return t('consoleApps.syntax', { message })
  return column === undefined ? t('consoleApps.syntaxLine', { message, line }) : t('consoleApps.syntaxPlace', { message, line, column })
}

/** Who in the app calls a function by its name. */
function usesOf({ configuration: { providers, triggers, customUserDataFile } }: AppView, name: string): readonly string[] {
  const byProviders = [...providers].filter(([, { config }]) =>
    [config?.confirmationFunctionName, config?.resetFunctionName, config?.authFunctionName].includes(name),
  )
  const byTriggers = [...triggers].filter(([, trigger]) => trigger.function_name === name)
  const byCreation = customUserDataFile.on_user_creation_function_name === name ? ['custom_user_data'] : []
  return [...byCreation, ...[...byProviders, ...byTriggers].map(([by]) => by)]
}

export function functionPages({ place, findSyntaxFault }: FunctionsNeeds): readonly AreaPage[] {
  const addressOf = (view: AppView, name: string) => `${place.addressOf(view)}/function?name=${encodeURIComponent(name)}`

  async function show(visit: Visit, view: AppView, name: string, facts: Facts = {}, status = 200): Promise<void> {
    const found = view.configuration.functions.get(name)
    const fault = found && findSyntaxFault(found.source)
    await place.show(
      visit,
      view,
      'functions',
      'console/appFunction',
      {
        name,
        isThere: found !== undefined,
        source: found?.source ?? newSource,
        isPrivate: found?.private ?? true,
        isSystem: found?.run_as_system ?? false,
        canEvaluate: found?.can_evaluate === undefined ? '' : jsonText(found.can_evaluate),
        uses: usesOf(view, name),
        mark: markOf(functionPart(view, name)),
        faults: fault ? { source: syntaxText(visit.texts, fault) } : {},
        ...facts,
      },
      status,
    )
  }

  /** Who may call it, as it was typed. @throws SyntaxError */
  const canEvaluateIn = (form: SentForm): unknown => (form.text('can_evaluate') === '' ? undefined : JSON.parse(form.text('can_evaluate')))

  async function save(visit: Visit, view: AppView, form: SentForm, name: string): Promise<void> {
    const { t } = visit.texts
    const source = textOf(form, 'source', view.configuration.functions.get(name)?.source)
    const typed = {
      source,
      isPrivate: form.has('private'),
      isSystem: form.has('run_as_system'),
      canEvaluate: form.raw('can_evaluate'),
      mark: form.text('mark'),
    }
    const refuse = (facts: Facts) => show(visit, view, name, { ...typed, ...facts }, 400)
    const fault = findSyntaxFault(source)
    if (fault) return refuse({ problem: t('consoleApps.faults'), faults: { source: syntaxText(visit.texts, fault) } })
    let canEvaluate: unknown
    try {
      canEvaluate = canEvaluateIn(form)
    } catch {
      return refuse({ problem: t('consoleApps.faults'), faults: { can_evaluate: t('consoleApps.notJson') } })
    }
    const facts = await place.write(visit, view, {
      part: (current) => functionPart(current, name),
      mark: form.text('mark'),
      edit: (current) =>
        functionEdit(current, name, {
          // `undefined` is in no file: it takes away what was there.
          fields: { private: form.has('private'), run_as_system: form.has('run_as_system') || undefined, can_evaluate: canEvaluate },
          source,
        }),
      place: {
        file: 'functions/config.json',
        prefix: `${[...view.configuration.functions.keys()].indexOf(name)}.`,
        isField: (field) => field === 'can_evaluate',
      },
    })
    if (facts) return refuse(facts)
    visit.go(addressOf(view, name), 'saved')
  }

  const newFunction = (visit: Visit, view: AppView, facts: Facts = {}, status = 200) =>
    place.show(visit, view, 'functions', 'console/appFunctionNew', { name: '', source: newSource, isPrivate: true, ...facts }, status)

  return [
    {
      method: 'GET',
      path: '/apps/:app/functions',
      permission: 'iam.read',
      handle: place.within((visit, view) =>
        place.show(visit, view, 'functions', 'console/appFunctions', {
          functions: [...view.configuration.functions.values()].map((each) => ({ ...each, uses: usesOf(view, each.name) })),
        }),
      ),
    },
    {
      method: 'GET',
      path: '/apps/:app/functions/new',
      permission: 'iam.write',
      handle: place.within((visit, view) => newFunction(visit, view)),
    },
    {
      method: 'POST',
      path: '/apps/:app/functions/new',
      permission: 'iam.write',
      limitBytes: sourceLimitBytes,
      handle: place.within(async (visit, view, form) => {
        const { t } = visit.texts
        const name = form.text('name')
        const source = textOf(form, 'source')
        const refuse = (facts: Facts) => newFunction(visit, view, { name, source, isPrivate: form.has('private'), ...facts }, 400)
        const wrongName = /^[A-Za-z0-9_$/-]{1,128}$/.test(name)
          ? view.configuration.functions.has(name) && t('consoleApps.functionTaken')
          : t('consoleApps.functionNameFault')
        const syntax = findSyntaxFault(source)
        if (wrongName || syntax)
          return refuse({
            problem: t('consoleApps.faults'),
            faults: { ...(wrongName && { name: wrongName }), ...(syntax && { source: syntaxText(visit.texts, syntax) }) },
          })
        const facts = await place.write(visit, view, {
          part: (current) => functionPart(current, name),
          mark: markOf(''),
          edit: (current) => functionEdit(current, name, { fields: { private: form.has('private') }, source }),
          place: { file: 'functions/config.json', isField: () => false },
        })
        if (facts) return refuse(facts)
        visit.go(addressOf(view, name), 'saved')
      }),
    },
    {
      method: 'GET',
      path: '/apps/:app/function',
      permission: 'iam.read',
      handle: place.within((visit, view) => {
        const name = visit.query('name')
        return view.configuration.functions.has(name) ? show(visit, view, name) : visit.missing()
      }),
    },
    {
      method: 'POST',
      path: '/apps/:app/function',
      permission: 'iam.write',
      limitBytes: sourceLimitBytes,
      handle: place.within((visit, view, form) => {
        const name = visit.query('name')
        return view.configuration.functions.has(name) ? save(visit, view, form, name) : visit.missing()
      }),
    },
    ...confirmation({
      path: '/apps/:app/function/remove',
      permission: 'iam.write',
      async ask(visit) {
        const view = await place.find(visit)
        const name = visit.query('name')
        if (!view?.configuration.functions.has(name)) return undefined
        const { t } = visit.texts
        return {
          title: t('consoleApps.functionRemoveTitle', { name }),
          what: t('consoleApps.functionRemoveWhat'),
          submit: t('consoleApps.functionRemove'),
          back: `/console${addressOf(view, name)}`,
        }
      },
      async act(visit) {
        const name = visit.query('name')
        await place.remove(visit, (view) => functionEdit(view, name, undefined))
        visit.go(`/apps/${visit.params.app}/functions`, 'removed')
      },
    }),
  ]
}
