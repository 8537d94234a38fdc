/** Organization and settings as a form has them, beside the form that they have in the configuration file. */
import { formatDuration } from '#src/base/duration.ts'
import type { CatalogueRoot } from '#src/domain/applications/store.ts'
import type { Plain } from '#src/domain/provisioning/export.ts'
import type { FileFaults } from '#src/domain/provisioning/faults.ts'
import type { SentForm } from '../kit/sentForm.ts'
import { linesIn } from './forms.ts'

/** Both as a configuration file says them. */
interface Filed {
  readonly organization: Plain
  readonly settings: Plain
}

export const durations = ['accessTokenTtl', 'idTokenTtl', 'refreshTokenTtl', 'sessionTtl', 'accountDeletionGrace'] as const

type TextField =
  | (typeof durations)[number]
  | 'name'
  | 'primaryDomain'
  | 'logoUri'
  | 'accentColor'
  | 'registration'
  | 'registrationFields'
  | 'dynamicClientRegistration'
  | 'selfManagedMetadata'
  | 'selfManagedProfile'

/** The fields of the form as texts, and the boxes that are ticked. */
export interface Shown {
  readonly texts: Readonly<Record<TextField, string>>
  readonly profile: readonly string[]
}

/** The form as a configuration file says it. A list of fields that is no JSON goes on as it is, for the rules to refuse. */
export function filedOf(form: SentForm): Filed {
  const fields = jsonIn(form.raw('registrationFields'))
  const isPlain = Array.isArray(fields) && fields.length === 0
  const keys = linesIn(form.raw('selfManagedMetadata'))
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

/** What there is, as the form shows it. */
export function shownOf({ organization, settings }: Pick<CatalogueRoot, 'organization' | 'settings'>): Shown {
  const { registrationFields, selfManagedMetadata, selfManagedProfile } = settings
  return {
    texts: {
      name: organization.name,
      primaryDomain: organization.primaryDomain,
      logoUri: organization.logoUri ?? '',
      accentColor: organization.accentColor ?? '',
      registration: settings.registration,
      registrationFields: registrationFields.length === 0 ? '' : JSON.stringify(registrationFields, null, 2),
      dynamicClientRegistration: settings.dynamicClientRegistration,
      accessTokenTtl: formatDuration(settings.accessTokenTtlSeconds),
      idTokenTtl: formatDuration(settings.idTokenTtlSeconds),
      refreshTokenTtl: formatDuration(settings.refreshTokenTtlSeconds),
      sessionTtl: formatDuration(settings.sessionTtlSeconds),
      accountDeletionGrace: formatDuration(settings.accountDeletionGraceSeconds),
      selfManagedMetadata: selfManagedMetadata === false ? '' : selfManagedMetadata.join('\n'),
      selfManagedProfile: typeof selfManagedProfile === 'object' ? 'some' : selfManagedProfile ? 'all' : 'none',
    },
    profile: typeof selfManagedProfile === 'object' ? selfManagedProfile : [],
  }
}

/** What somebody typed, as the form shows it again. */
export const typedIn = (form: SentForm): Shown => ({
  texts: {
    name: form.raw('name'),
    primaryDomain: form.raw('primaryDomain'),
    logoUri: form.raw('logoUri'),
    accentColor: form.has('hasAccent') ? form.raw('accentColor') : '',
    registration: form.raw('registration'),
    registrationFields: form.raw('registrationFields'),
    dynamicClientRegistration: form.raw('dynamicClientRegistration'),
    accessTokenTtl: form.raw('accessTokenTtl'),
    idTokenTtl: form.raw('idTokenTtl'),
    refreshTokenTtl: form.raw('refreshTokenTtl'),
    sessionTtl: form.raw('sessionTtl'),
    accountDeletionGrace: form.raw('accountDeletionGrace'),
    selfManagedMetadata: form.raw('selfManagedMetadata'),
    selfManagedProfile: form.raw('selfManagedProfile'),
  },
  profile: form.all('profileFields'),
})

/** What is wrong by the field of the form. */
export function faultsByField({ lines }: FileFaults): Readonly<Record<string, string>> {
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
