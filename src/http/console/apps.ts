/** App Services apps: which there are, what is served of each, making and removing them. What they consist of stands on pages of its own. */
import { AppFaults } from '#src/domain/apps/app.ts'
import type { Apps } from '#src/domain/apps/apps.ts'
import { secretUsesOf } from '#src/domain/apps/secretUses.ts'
import type { Users } from '#src/domain/users/users.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { confirmation } from '../kit/confirmation.ts'
import { customUserDataPages } from './appCustomUserData.ts'
import { type FunctionsNeeds, functionPages } from './appFunctions.ts'
import { createAppPlace, faultsByField } from './appPlace.ts'
import { type ProvidersNeeds, providerPages } from './appProviders.ts'
import { secretPages } from './appSecrets.ts'
import { type TriggersNeeds, triggerPages } from './appTriggers.ts'
import { valuePages } from './appValues.ts'

export interface AppsNeeds extends Omit<ProvidersNeeds, 'place'>, Omit<FunctionsNeeds, 'place'>, Omit<TriggersNeeds, 'place'> {
  readonly issuer: string
  readonly apps: Apps
  readonly users: Pick<Users, 'listByApp'>
  /** Above how many kilobytes a token goes without the document of custom user data. */
  readonly customDataKilobytes: number
  /** Another client app id: `name-abcde`. */
  readonly newClientAppId: (name: string) => string
}

const mostListed = 100

export function appPages(needs: AppsNeeds): readonly AreaPage[] {
  const { issuer, apps, users, customDataKilobytes, newClientAppId } = needs
  const place = createAppPlace({ apps })

  const newApp = (visit: Visit, facts: Readonly<Record<string, unknown>> = {}, status = 200) =>
    visit.show(
      'console/appNew',
      { name: '', faults: {}, trail: [{ href: '/console/apps', label: visit.texts.t('consoleApps.title') }], ...facts },
      status,
    )

  return [
    {
      method: 'GET',
      path: '/apps',
      permission: 'iam.read',
      async handle(visit) {
        const views = await apps.list()
        await visit.show('console/apps', { apps: views })
      },
    },
    { method: 'GET', path: '/apps/new', permission: 'iam.write', handle: (visit) => newApp(visit) },
    {
      method: 'POST',
      path: '/apps/new',
      permission: 'iam.write',
      async handle(visit, form) {
        const name = form.text('name')
        try {
          const { id } = await apps.create(name, newClientAppId(name), visit.actor)
          visit.go(`/apps/${id}`, 'saved')
        } catch (error) {
          const wrong =
            error instanceof AppFaults
              ? faultsByField(error.lines, { file: 'realm_config.json', isField: (field) => field === 'name' })
              : { problem: visit.problemOf(error) }
          await newApp(visit, { name, ...wrong }, 400)
        }
      },
    },
    {
      method: 'GET',
      path: '/apps/:app',
      permission: 'iam.read',
      handle: place.within(async (visit, view) => {
        const { configuration, app } = view
        const missing = secretUsesOf(configuration).filter(({ secret }) => !Object.hasOwn(app.secrets, secret))
        const { notServed } = configuration
        await place.show(visit, view, 'overview', 'console/app', {
          issuer,
          configuration,
          providersOn: [...configuration.providers.values()].filter(({ disabled }) => !disabled).length,
          missing: Map.groupBy(missing, ({ secret }) => secret),
          notServed: notServed.slice(0, mostListed),
          moreNotServed: notServed.length - mostListed,
        })
      }),
    },
    ...providerPages({ ...needs, place }),
    ...customUserDataPages({ ...needs, place, customDataKilobytes }),
    ...functionPages({ ...needs, place }),
    ...triggerPages({ ...needs, place }),
    ...valuePages({ place }),
    ...secretPages({ apps, place }),
    ...confirmation({
      path: '/apps/:app/remove',
      permission: 'iam.write',
      async ask(visit) {
        const view = await place.find(visit)
        if (!view) return undefined
        const { t } = visit.texts
        const { items, next } = await users.listByApp(view.app.id, { limit: mostListed })
        const what = next === undefined ? 'consoleApps.removeWhat' : 'consoleApps.removeWhatMany'
        return {
          title: t('consoleApps.removeTitle', { name: view.app.name }),
          what: t(what, { users: items.length }),
          name: view.app.clientAppId,
          submit: t('consoleApps.remove'),
          back: `/console${place.addressOf(view)}`,
        }
      },
      async act(visit) {
        await apps.remove(visit.params.app ?? '', visit.actor)
        visit.go('/apps', 'removed')
      },
    }),
  ]
}
