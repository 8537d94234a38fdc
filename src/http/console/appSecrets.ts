/** Secrets of an App Services app: they are set and removed, and never shown. */
import type { Apps } from '#src/domain/apps/apps.ts'
import { secretUsesOf } from '#src/domain/apps/secretUses.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { confirmation } from '../kit/confirmation.ts'
import { type AppPlace, type Facts, textOf } from './appPlace.ts'

const isSecretName = (name: string) => /^[\w-]{1,64}$/.test(name)

export function secretPages({ apps, place }: { readonly apps: Apps; readonly place: AppPlace }): readonly AreaPage[] {
  /** A secret that the files name, or that has a value, may be called anything. */
  const isKnown = async (visit: Visit, name: string) => {
    const view = await place.find(visit)
    return (
      view !== undefined &&
      (Object.hasOwn(view.app.secrets, name) || secretUsesOf(view.configuration).some(({ secret }) => secret === name))
    )
  }

  const facts = (visit: Visit, more: Facts = {}) => ({ name: visit.query('name'), isNamed: visit.query('name') !== '', ...more })

  return [
    {
      method: 'GET',
      path: '/apps/:app/secret',
      permission: 'iam.write',
      isDangerous: true,
      handle: place.within(async (visit, view) => {
        const name = visit.query('name')
        if (name !== '' && !(await isKnown(visit, name))) return visit.missing()
        await place.show(visit, view, 'values', 'console/appSecret', facts(visit))
      }),
    },
    {
      method: 'POST',
      path: '/apps/:app/secret',
      permission: 'iam.write',
      isDangerous: true,
      handle: place.within(async (visit, view, form) => {
        const { t } = visit.texts
        const name = visit.query('name') || form.text('name')
        // A line end after the last line is the form's, or that of the file from which it was copied.
        const value = textOf(form, 'value').replace(/\n$/, '')
        const faults = {
          ...(!isSecretName(name) && !(await isKnown(visit, name)) && { name: t('consoleApps.valueNameFault') }),
          ...(value === '' && { value: t('consoleApps.secretEmpty') }),
        }
        if (Object.keys(faults).length > 0) {
          const wrong = facts(visit, { ...(visit.query('name') === '' && { name }), faults, problem: t('consoleApps.faults') })
          return place.show(visit, view, 'values', 'console/appSecret', wrong, 400)
        }
        await apps.setSecret(view.app.id, name, value, visit.actor)
        visit.go(`${place.addressOf(view)}/values`, 'saved')
      }),
    },
    ...confirmation({
      path: '/apps/:app/secret/remove',
      permission: 'iam.write',
      async ask(visit) {
        const view = await place.find(visit)
        const name = visit.query('name')
        if (!view || !Object.hasOwn(view.app.secrets, name)) return undefined
        const { t } = visit.texts
        const uses = secretUsesOf(view.configuration).filter(({ secret }) => secret === name)
        return {
          title: t('consoleApps.secretRemoveTitle', { name }),
          what:
            uses.length === 0
              ? t('consoleApps.secretRemoveUnused')
              : t('consoleApps.secretRemoveWhat', { uses: uses.map(({ by }) => by).join(', ') }),
          submit: t('consoleApps.secretRemove'),
          back: `/console${place.addressOf(view)}/values`,
        }
      },
      async act(visit) {
        await apps.setSecret(visit.params.app ?? '', visit.query('name'), undefined, visit.actor)
        visit.go(`/apps/${visit.params.app}/values`, 'removed')
      },
    }),
  ]
}
