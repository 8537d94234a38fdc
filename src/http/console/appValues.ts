/** Values of an App Services app, which its functions and rules find by name: a text, any JSON, or what a secret holds. */
import type { AppView } from '#src/domain/apps/app.ts'
import { valueEdit } from '#src/domain/apps/editing.ts'
import { secretUsesOf } from '#src/domain/apps/secretUses.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { confirmation } from '../kit/confirmation.ts'
import type { SentForm } from '../kit/sentForm.ts'
import { type AppPlace, type Facts, jsonText, markOf, textOf } from './appPlace.ts'

const kinds = ['text', 'json', 'secret'] as const
type Kind = (typeof kinds)[number]

const mostShown = 200

export function valuePages({ place }: { readonly place: AppPlace }): readonly AreaPage[] {
  const addressOf = (view: AppView, name: string) => `${place.addressOf(view)}/value?name=${encodeURIComponent(name)}`
  const partOf = (name: string) => (view: AppView) => {
    const found = view.configuration.values.get(name)
    return found ? jsonText(found) : ''
  }

  function shownValue(view: AppView, name: string): { readonly kind: Kind; readonly value: string } {
    const { value, from_secret: isSecret } = view.configuration.values.get(name) ?? {}
    if (typeof value === 'string') return { kind: isSecret ? 'secret' : 'text', value }
    return { kind: 'json', value: jsonText(value) ?? '' }
  }

  const show = (visit: Visit, view: AppView, name: string, facts: Facts = {}, status = 200) =>
    place.show(
      visit,
      view,
      'values',
      'console/appValue',
      { name, isThere: true, kinds, ...shownValue(view, name), mark: markOf(partOf(name)(view)), ...facts },
      status,
    )

  const newValue = (visit: Visit, view: AppView, facts: Facts = {}, status = 200) =>
    place.show(visit, view, 'values', 'console/appValue', { name: '', isThere: false, kinds, kind: 'text', value: '', ...facts }, status)

  /** The value of a form as its file has it. @throws SyntaxError */
  function valueIn(form: SentForm): { readonly value: unknown; readonly from_secret: boolean } {
    const kind = form.text('kind')
    if (kind === 'secret') return { value: form.text('value'), from_secret: true }
    const text = textOf(form, 'value')
    return { value: kind === 'json' ? JSON.parse(text) : text, from_secret: false }
  }

  async function save(
    visit: Visit,
    view: AppView,
    form: SentForm,
    { name, mark }: { name: string; mark: string },
  ): Promise<Facts | undefined> {
    const { t } = visit.texts
    try {
      const given = valueIn(form)
      return await place.write(visit, view, {
        part: partOf(name),
        mark,
        edit: (current) => valueEdit(current, name, { ...current.configuration.values.get(name), ...given }),
        place: { file: `values/${name}.json`, isField: (field) => field === 'value' },
      })
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      return { problem: t('consoleApps.faults'), faults: { value: t('consoleApps.notJson') } }
    }
  }

  const typedIn = (form: SentForm) => ({ kind: form.text('kind'), value: textOf(form, 'value'), mark: form.text('mark') })

  return [
    {
      method: 'GET',
      path: '/apps/:app/values',
      permission: 'iam.read',
      handle: place.within((visit, view) => {
        const { app, configuration } = view
        const uses = Map.groupBy(secretUsesOf(configuration), ({ secret }) => secret)
        const secrets = [...new Set([...Object.keys(app.secrets), ...uses.keys()])].toSorted()
        return place.show(visit, view, 'values', 'console/appValues', {
          values: [...configuration.values.keys()].map((name) => {
            const { kind, value } = shownValue(view, name)
            return { name, kind, value: value.length > mostShown ? `${value.slice(0, mostShown)}…` : value }
          }),
          secrets: secrets.map((name) => ({ name, isThere: Object.hasOwn(app.secrets, name), uses: uses.get(name) ?? [] })),
        })
      }),
    },
    { method: 'GET', path: '/apps/:app/values/new', permission: 'iam.write', handle: place.within((visit, view) => newValue(visit, view)) },
    {
      method: 'POST',
      path: '/apps/:app/values/new',
      permission: 'iam.write',
      handle: place.within(async (visit, view, form) => {
        const { t } = visit.texts
        const name = form.text('name')
        const refuse = (facts: Facts) => newValue(visit, view, { ...typedIn(form), name, ...facts }, 400)
        const wrong = /^[\w-]{1,64}$/.test(name)
          ? view.configuration.values.has(name) && t('consoleApps.valueTaken')
          : t('consoleApps.valueNameFault')
        if (wrong) return refuse({ problem: t('consoleApps.faults'), faults: { name: wrong } })
        const facts = await save(visit, view, form, { name, mark: markOf('') })
        return facts ? refuse(facts) : visit.go(`${place.addressOf(view)}/values`, 'saved')
      }),
    },
    {
      method: 'GET',
      path: '/apps/:app/value',
      permission: 'iam.read',
      handle: place.within((visit, view) => {
        const name = visit.query('name')
        return view.configuration.values.has(name) ? show(visit, view, name) : visit.missing()
      }),
    },
    {
      method: 'POST',
      path: '/apps/:app/value',
      permission: 'iam.write',
      handle: place.within(async (visit, view, form) => {
        const name = visit.query('name')
        if (!view.configuration.values.has(name)) return visit.missing()
        const facts = await save(visit, view, form, { name, mark: form.text('mark') })
        return facts ? show(visit, view, name, { ...typedIn(form), ...facts }, 400) : visit.go(`${place.addressOf(view)}/values`, 'saved')
      }),
    },
    ...confirmation({
      path: '/apps/:app/value/remove',
      permission: 'iam.write',
      async ask(visit) {
        const view = await place.find(visit)
        const name = visit.query('name')
        if (!view?.configuration.values.has(name)) return undefined
        const { t } = visit.texts
        return {
          title: t('consoleApps.valueRemoveTitle', { name }),
          what: t('consoleApps.valueRemoveWhat'),
          submit: t('consoleApps.valueRemove'),
          back: `/console${addressOf(view, name)}`,
        }
      },
      async act(visit) {
        await place.remove(visit, (view) => valueEdit(view, visit.query('name'), undefined))
        visit.go(`/apps/${visit.params.app}/values`, 'removed')
      },
    }),
  ]
}
