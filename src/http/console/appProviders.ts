/** How people log in to an App Services app: every provider with its settings, the metadata it tells, and what has to be registered there. */
import type { AppView } from '#src/domain/apps/app.ts'
import { providerEdit, providerIn as providerOf } from '#src/domain/apps/editing.ts'
import type { PageLogins } from '#src/domain/apps/pageLogins.ts'
import { secretUsesOf } from '#src/domain/apps/secretUses.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { confirmation } from '../kit/confirmation.ts'
import type { SentForm } from '../kit/sentForm.ts'
import { type AppPlace, type Facts, jsonText, markOf } from './appPlace.ts'
import {
  type Fields,
  formOf,
  isFieldOf,
  isProviderType,
  type MetadataRow,
  providerIn,
  providerTypes,
  rowsIn,
  rowsOf,
  shownProvider,
} from './appProviderForm.ts'

export interface ProvidersNeeds {
  readonly issuer: string
  readonly place: AppPlace
  readonly pageLogins: Pick<PageLogins, 'buttonOf'>
}

const emptyRow: MetadataRow = { name: '', field_name: '', required: false }
/** What providers usually tell, for whoever types a metadata field. */
const usualFields = ['name', 'first_name', 'last_name', 'picture', 'email', 'gender', 'birthday', 'locale']

export function providerPages({ issuer, place, pageLogins }: ProvidersNeeds): readonly AreaPage[] {
  const partOf = (type: string) => (view: AppView) => (view.configuration.providers.has(type) ? jsonText(providerOf(view, type)) : '')

  async function list(visit: Visit, view: AppView, facts: Facts = {}, status = 200): Promise<void> {
    const { providers } = view.configuration
    const types = [...providerTypes, ...[...providers.keys()].filter((type) => !providerTypes.includes(type))]
    const rows = await Promise.all(
      types.map(async (type) => {
        const provider = providers.get(type)
        const missing = secretUsesOf(view.configuration).filter(
          ({ kind, by, secret }) => kind === 'provider' && by === type && !Object.hasOwn(view.app.secrets, secret),
        )
        return {
          type,
          state: provider === undefined ? 'absent' : provider.disabled ? 'off' : 'on',
          button: await pageLogins.buttonOf(view, type),
          isSecretMissing: missing.length > 0,
        }
      }),
    )
    await place.show(visit, view, 'providers', 'console/appProviders', { providers: rows, name: '', ...facts }, status)
  }

  async function show(
    visit: Visit,
    view: AppView,
    { provider, rows, facts = {} }: { readonly provider: Fields; readonly rows: readonly MetadataRow[]; readonly facts?: Facts },
    status = 200,
  ): Promise<void> {
    const type = visit.params.type ?? ''
    const { fields, metadata } = formOf(type)
    const secrets = secretUsesOf(view.configuration).filter(({ kind, by }) => kind === 'provider' && by === type)
    await place.show(
      visit,
      view,
      'providers',
      'console/appProvider',
      {
        type,
        isKnown: providerTypes.includes(type),
        isOAuth: type.startsWith('oauth2-'),
        isThere: view.configuration.providers.has(type),
        isOn: provider.disabled !== true,
        fields: fields.map((field) => ({ ...field, value: shownProvider(provider, field) })),
        functions: [...view.configuration.functions.keys()],
        metadata,
        rows,
        usualFields,
        secrets: secrets.map(({ secret }) => ({ name: secret, isThere: Object.hasOwn(view.app.secrets, secret) })),
        button: await pageLogins.buttonOf(view, type),
        callback: `${issuer}/api/client/v2.0/auth/callback`,
        mark: markOf(partOf(type)(view)),
        ...facts,
      },
      status,
    )
  }

  /** A page about the type of the address. */
  const ofType = (handle: (visit: Visit, view: AppView, form: SentForm, type: string) => Promise<void> | void) =>
    place.within((visit, view, form) => {
      const { type = '' } = visit.params
      return isProviderType(type) ? handle(visit, view, form, type) : visit.missing()
    })

  /** Rows with a button pressed on them; `undefined` when it was none of theirs. */
  function rowsAfter(form: SentForm): readonly MetadataRow[] | undefined {
    const action = form.text('action')
    if (action === 'add-row') return [...rowsIn(form), emptyRow]
    const removed = /^remove-row-(\d+)$/.exec(action)?.[1]
    return removed === undefined ? undefined : rowsIn(form).filter((_, index) => index !== Number(removed))
  }

  return [
    { method: 'GET', path: '/apps/:app/providers', permission: 'iam.read', handle: place.within((visit, view) => list(visit, view)) },
    {
      method: 'GET',
      path: '/apps/:app/provider-new',
      permission: 'iam.write',
      handle: place.within((visit, view) => {
        const name = visit.query('name').trim()
        const type = `oauth2-${name}`
        if (isProviderType(type)) return visit.go(`${place.addressOf(view)}/providers/${type}`)
        return list(visit, view, { name, faults: { name: visit.texts.t('consoleApps.providerNameFault') } }, 400)
      }),
    },
    {
      method: 'GET',
      path: '/apps/:app/providers/:type',
      permission: 'iam.read',
      handle: ofType((visit, view, _form, type) => {
        const provider = providerOf(view, type)
        const rows = rowsOf(provider)
        return show(visit, view, { provider, rows: rows.length === 0 ? [emptyRow] : rows })
      }),
    },
    {
      method: 'POST',
      path: '/apps/:app/providers/:type',
      permission: 'iam.write',
      handle: ofType(async (visit, view, form, type) => {
        const provider = providerIn(form, type, providerOf(view, type))
        const rows = rowsAfter(form)
        const mark = form.text('mark')
        if (rows) return show(visit, view, { provider, rows, facts: { mark } })
        const facts = await place.write(visit, view, {
          part: partOf(type),
          mark,
          edit: (current) => providerEdit(current, type, providerIn(form, type, providerOf(current, type))),
          place: { file: 'auth/providers.json', prefix: `${type}.`, isField: isFieldOf(type) },
        })
        if (!facts) return visit.go(`${place.addressOf(view)}/providers/${type}`, 'saved')
        await show(visit, view, { provider, rows: rowsOf(provider), facts: { mark, ...facts } }, 400)
      }),
    },
    ...confirmation({
      path: '/apps/:app/providers/:type/remove',
      permission: 'iam.write',
      async ask(visit) {
        const view = await place.find(visit)
        const { type = '' } = visit.params
        if (!view?.configuration.providers.has(type)) return undefined
        const { t } = visit.texts
        return {
          title: t('consoleApps.providerRemoveTitle', { name: type }),
          what: t('consoleApps.providerRemoveWhat', { app: view.app.name }),
          submit: t('consoleApps.providerRemove'),
          back: `/console${place.addressOf(view)}/providers/${type}`,
        }
      },
      async act(visit) {
        const { app = '', type = '' } = visit.params
        await place.remove(visit, (view) => providerEdit(view, type, undefined))
        visit.go(`/apps/${app}/providers`, 'removed')
      },
    }),
  ]
}
