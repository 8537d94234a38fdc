/** Triggers of an App Services app: when they run and what, what became of the last runs, and what was given up, which can be run again. */
import { nextMoment } from '#src/base/schedule.ts'
import type { AppView } from '#src/domain/apps/app.ts'
import { triggerEdit, triggerIn as triggerOf } from '#src/domain/apps/editing.ts'
import type { LastRuns } from '#src/domain/triggers/lastRuns.ts'
import type { Tasks } from '#src/domain/triggers/tasks.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { confirmation } from '../kit/confirmation.ts'
import { type AppPlace, type Facts, jsonText, markOf } from './appPlace.ts'
import { providerTypes } from './appProviderForm.ts'
import {
  emptyTrigger,
  isTriggerField,
  operationTypes,
  type ShownTrigger,
  shownTrigger,
  type TriggerType,
  triggerFields,
  typedTrigger,
  typeIn,
} from './appTriggerForm.ts'

export interface TriggersNeeds {
  readonly place: AppPlace
  readonly triggerTasks: Pick<Tasks, 'listDead' | 'listDeadOf' | 'revive'>
  readonly triggerRuns: Pick<LastRuns, 'list'>
  readonly now: () => Date
}

const mostLetters = 20

export function triggerPages({ place, triggerTasks, triggerRuns, now }: TriggersNeeds): readonly AreaPage[] {
  const addressOf = (view: AppView, name: string) => `${place.addressOf(view)}/trigger?name=${encodeURIComponent(name)}`
  const partOf = (name: string) => (view: AppView) => (view.configuration.triggers.has(name) ? jsonText(triggerOf(view, name)) : '')

  /** When a trigger runs next; nothing of one that is off, or waits for somebody. */
  function nextOf({ isOn, schedule }: Pick<ShownTrigger, 'isOn' | 'schedule'>): Date | undefined {
    try {
      return isOn && schedule !== '' ? nextMoment(schedule, now()) : undefined
    } catch {
      return undefined
    }
  }

  const runsOf = async ({ app }: AppView, name: string) =>
    (await triggerRuns.list(app.id, name)).map(({ at, ...run }) => ({ ...run, at: new Date(at) }))

  async function list(visit: Visit, view: AppView): Promise<void> {
    const dead = Map.groupBy(await triggerTasks.listDeadOf(view.app.id), ({ trigger }) => trigger)
    const rows = await Promise.all(
      [...view.configuration.triggers].map(async ([name, { type, function_name: called }]) => {
        const shown = shownTrigger(view, name)
        const [run] = await runsOf(view, name)
        const isServed = type !== 'DATABASE' && called !== undefined
        return { name, type, ...shown, isServed, run, next: nextOf(shown), dead: dead.get(name)?.length ?? 0 }
      }),
    )
    await place.show(visit, view, 'triggers', 'console/appTriggers', {
      triggers: rows,
      hasFunctions: view.configuration.functions.size > 0,
    })
  }

  const choices = ({ configuration: { functions, providers } }: AppView) => ({
    functions: [...functions.keys()],
    operations: operationTypes,
    providerTypes: [...new Set([...providerTypes, ...providers.keys()])],
  })

  async function show(visit: Visit, view: AppView, name: string, facts: Facts = {}, status = 200): Promise<void> {
    const found = view.configuration.triggers.get(name)
    const shown = shownTrigger(view, name)
    const letters = (await triggerTasks.listDead(view.app.id, name)).toReversed()
    await place.show(
      visit,
      view,
      'triggers',
      'console/appTrigger',
      {
        name,
        type: found?.type,
        isServed: found?.type !== 'DATABASE' && found?.function_name !== undefined,
        file: jsonText(triggerOf(view, name)),
        shown,
        next: nextOf(shown),
        runs: await runsOf(view, name),
        letters: letters.slice(0, mostLetters).map((letter) => ({ ...letter, at: new Date(letter.failedAt) })),
        lettersInAll: letters.length,
        mark: markOf(partOf(name)(view)),
        ...choices(view),
        ...facts,
      },
      status,
    )
  }

  const newTrigger = (visit: Visit, view: AppView, type: TriggerType, facts: Facts = {}, status = 200) =>
    place.show(
      visit,
      view,
      'triggers',
      'console/appTriggerNew',
      { type, name: '', shown: emptyTrigger, ...choices(view), ...facts },
      status,
    )

  const writing = (name: string, type: TriggerType, typed: ShownTrigger, mark: string) => ({
    part: partOf(name),
    mark,
    edit: (current: AppView) => triggerEdit(current, name, triggerFields(current, name, type, typed)),
  })

  const fileOf = (view: AppView, name: string) => view.configuration.triggers.get(name)?.path ?? `triggers/${name}.json`

  return [
    { method: 'GET', path: '/apps/:app/triggers', permission: 'iam.read', handle: place.within(list) },
    {
      method: 'GET',
      path: '/apps/:app/triggers/new',
      permission: 'iam.write',
      handle: place.within((visit, view) => newTrigger(visit, view, typeIn(visit.query('type')) ?? 'AUTHENTICATION')),
    },
    {
      method: 'POST',
      path: '/apps/:app/triggers/new',
      permission: 'iam.write',
      handle: place.within(async (visit, view, form) => {
        const { t } = visit.texts
        const [name, type, shown] = [form.text('name'), typeIn(form.text('type')) ?? 'AUTHENTICATION', typedTrigger(form)]
        const refuse = (facts: Facts) => newTrigger(visit, view, type, { name, shown, ...facts }, 400)
        const wrong = /^[A-Za-z][\w-]{0,63}$/.test(name)
          ? view.configuration.triggers.has(name) && t('consoleApps.triggerTaken')
          : t('consoleApps.nameFault')
        if (wrong) return refuse({ problem: t('consoleApps.faults'), faults: { name: wrong } })
        if (shown.functionName === '')
          return refuse({ problem: t('consoleApps.faults'), faults: { function_name: t('consoleApps.functionMissing') } })
        const facts = await place.write(visit, view, {
          ...writing(name, type, shown, markOf('')),
          place: { file: fileOf(view, name), isField: isTriggerField },
        })
        if (facts) return refuse(facts)
        visit.go(addressOf(view, name), 'saved')
      }),
    },
    {
      method: 'GET',
      path: '/apps/:app/trigger',
      permission: 'iam.read',
      handle: place.within((visit, view) => {
        const name = visit.query('name')
        return view.configuration.triggers.has(name) ? show(visit, view, name) : visit.missing()
      }),
    },
    {
      method: 'POST',
      path: '/apps/:app/trigger',
      permission: 'iam.write',
      handle: place.within(async (visit, view, form) => {
        const name = visit.query('name')
        const type = typeIn(view.configuration.triggers.get(name)?.type ?? '')
        if (!type) return visit.missing()
        const { t } = visit.texts
        const [shown, mark] = [typedTrigger(form), form.text('mark')]
        const facts =
          shown.functionName === ''
            ? { problem: t('consoleApps.faults'), faults: { function_name: t('consoleApps.functionMissing') } }
            : await place.write(visit, view, {
                ...writing(name, type, shown, mark),
                place: { file: fileOf(view, name), isField: isTriggerField },
              })
        if (!facts) return visit.go(addressOf(view, name), 'saved')
        await show(visit, view, name, { shown, mark, ...facts }, 400)
      }),
    },
    {
      method: 'POST',
      path: '/apps/:app/trigger/retry',
      permission: 'iam.write',
      handle: place.within(async (visit, view) => {
        const name = visit.query('name')
        if (!view.configuration.triggers.has(name)) return visit.missing()
        await triggerTasks.revive(view.app.id, name)
        visit.go(addressOf(view, name), 'runsAgain')
      }),
    },
    ...confirmation({
      path: '/apps/:app/trigger/remove',
      permission: 'iam.write',
      async ask(visit) {
        const view = await place.find(visit)
        const name = visit.query('name')
        if (!view?.configuration.triggers.has(name)) return undefined
        const { t } = visit.texts
        return {
          title: t('consoleApps.triggerRemoveTitle', { name }),
          what: t('consoleApps.triggerRemoveWhat'),
          submit: t('consoleApps.triggerRemove'),
          back: `/console${addressOf(view, name)}`,
        }
      },
      async act(visit) {
        await place.remove(visit, (view) => triggerEdit(view, visit.query('name'), undefined))
        visit.go(`/apps/${visit.params.app}/triggers`, 'removed')
      },
    }),
  ]
}
