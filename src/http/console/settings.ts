/** Organization and settings. What is saved here is what an `apply` of the same would write: its rules judge it, and an export tells it. */
import { createHash } from 'node:crypto'
import { FileFaults } from '#src/domain/provisioning/faults.ts'
import { readConfigurationFile } from '#src/domain/provisioning/file.ts'
import type { createProvisioning } from '#src/domain/provisioning/provisioning.ts'
import { profileFields } from '#src/domain/provisioning/settings.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import type { SentForm } from '../kit/sentForm.ts'

export interface SettingsNeeds {
  readonly provisioning: Pick<ReturnType<typeof createProvisioning>, 'apply' | 'export'>
}

type Fields = Readonly<Record<string, unknown>>

/** What there is of both, in the form of the configuration file. */
interface Filed {
  readonly organization: Fields
  readonly settings: Fields
}

const durations = ['accessTokenTtl', 'idTokenTtl', 'refreshTokenTtl', 'sessionTtl', 'accountDeletionGrace'] as const

/** Nothing that is set here is a secret. */
const noSecrets = { environment: () => undefined, file: () => undefined }

/** Tells whether somebody else has saved meanwhile. */
const markOf = (filed: Filed) => createHash('sha256').update(JSON.stringify(filed)).digest('base64url').slice(0, 22)

/** The fields of the form as texts, lists and ticks. */
interface Shown {
  readonly texts: Readonly<Record<string, string>>
  readonly profile: readonly string[]
}

export function settingsPages({ provisioning }: SettingsNeeds): readonly AreaPage[] {
  const currently = async (): Promise<Filed> => {
    const { organization, settings } = (await provisioning.export()).catalogue as unknown as Filed
    return { organization, settings }
  }

  async function show(visit: Visit, facts: Readonly<Record<string, unknown>> = {}, status = 200): Promise<void> {
    const filed = await currently()
    const given = {
      shown: shownOf(filed),
      mark: markOf(filed),
      faults: {},
      durations,
      profileFields,
      mayWrite: visit.may('iam.policy.write'),
    }
    await visit.show('console/settings', { ...given, ...facts }, status)
  }

  return [
    { method: 'GET', path: '/settings', permission: 'iam.policy.read', handle: (visit) => show(visit) },
    {
      method: 'POST',
      path: '/settings',
      permission: 'iam.policy.write',
      async handle(visit, form) {
        const filed = await currently()
        const { t } = visit.texts
        if (form.text('mark') !== markOf(filed)) return show(visit, { problem: t('console.settings.changed'), shown: typedIn(form) }, 409)
        try {
          const file = readConfigurationFile(JSON.stringify(filedOf(form)), 'settings', noSecrets)
          await provisioning.apply(file, visit.actor)
          visit.go('/settings', 'saved')
        } catch (error) {
          if (!(error instanceof FileFaults)) return show(visit, { problem: visit.problemOf(error), shown: typedIn(form) }, 400)
          await show(visit, { problem: t('console.settings.faults'), faults: faultsByField(error), shown: typedIn(form) }, 400)
        }
      },
    },
  ]
}

/** The form as a configuration file says it. A list of fields that is no JSON goes on as it is, for the rules to refuse. */
function filedOf(form: SentForm): Filed {
  const fields = jsonIn(form.raw('registrationFields'))
  const isPlain = Array.isArray(fields) && fields.length === 0
  const keys = form
    .raw('selfManagedMetadata')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean)
  const profile = form.text('selfManagedProfile')
  return {
    organization: {
      name: form.text('name'),
      primaryDomain: form.text('primaryDomain'),
      logoUri: form.text('logoUri'),
      accentColor: form.has('hasAccent') ? form.text('accentColor') : '',
    },
    settings: {
      registration: isPlain ? form.text('registration') : { mode: form.text('registration'), fields },
      dynamicClientRegistration: form.text('dynamicClientRegistration'),
      ...Object.fromEntries(durations.map((name) => [name, form.text(name)])),
      selfManagedMetadata: keys.length === 0 ? false : keys,
      selfManagedProfile: profile === 'some' ? form.all('profileFields') : profile === 'all',
    },
  }
}

function jsonIn(text: string): unknown {
  if (text.trim() === '') return []
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function shownOf({ organization, settings }: Filed): Shown {
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  const { registration, selfManagedMetadata, selfManagedProfile } = settings
  const withFields = registration as { readonly mode?: string; readonly fields?: readonly unknown[] } | string
  return {
    texts: {
      name: text(organization.name),
      primaryDomain: text(organization.primaryDomain),
      logoUri: text(organization.logoUri),
      accentColor: text(organization.accentColor),
      registration: typeof withFields === 'string' ? withFields : (withFields.mode ?? 'closed'),
      registrationFields: typeof withFields === 'string' ? '' : JSON.stringify(withFields.fields, null, 2),
      dynamicClientRegistration: text(settings.dynamicClientRegistration),
      ...Object.fromEntries(durations.map((name) => [name, text(settings[name])])),
      selfManagedMetadata: Array.isArray(selfManagedMetadata) ? selfManagedMetadata.join('\n') : '',
      selfManagedProfile: Array.isArray(selfManagedProfile) ? 'some' : selfManagedProfile ? 'all' : 'none',
    },
    profile: Array.isArray(selfManagedProfile) ? selfManagedProfile.map(String) : [],
  }
}

const names = [
  ...[
    'name',
    'primaryDomain',
    'logoUri',
    'registration',
    'registrationFields',
    'dynamicClientRegistration',
    'selfManagedMetadata',
    'selfManagedProfile',
  ],
  ...durations,
]

const typedIn = (form: SentForm): Shown => ({
  texts: {
    ...Object.fromEntries(names.map((name) => [name, form.raw(name)])),
    accentColor: form.has('hasAccent') ? form.raw('accentColor') : '',
  },
  profile: form.all('profileFields'),
})

/** What is wrong by the field of the form. */
function faultsByField({ lines }: FileFaults): Readonly<Record<string, string>> {
  const faults: Record<string, string> = {}
  for (const line of lines) {
    const [, field = '', rest = '', reason = line] = /^settings:\d+: (?:organization|settings)\.(\w+)([^:]*): (.+)$/s.exec(line) ?? []
    const isOfFields = field === 'registration' && rest !== '' && !rest.startsWith('.mode')
    const name = isOfFields ? 'registrationFields' : field
    const text = rest === '' ? reason : `${rest.replace(/^\./, '')}: ${reason}`
    faults[name] = faults[name] === undefined ? text : `${faults[name]}; ${text}`
  }
  return faults
}
