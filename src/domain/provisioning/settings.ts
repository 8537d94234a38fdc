import { z } from 'zod'
import { isLanguageTag } from '#src/base/forms.ts'
import { wholeMatcher } from '#src/base/patterns.ts'
import type { Organization, ProfileField, RegistrationField, Settings } from '../applications/application.ts'
import type { Faults, Path } from './faults.ts'
import { domainName, duration, flag, isLoopback, name, parsed, readFields, text } from './fields.ts'
import { noteRepeated } from './rules.ts'

const mostLogoBytes = 32 * 1024

/** Empty text takes away what there is: an organization keeps what a file does not name. */
const orNone = <T extends z.ZodType>(schema: T) => z.union([z.literal('').transform(() => undefined), schema])

const logo = z.string().superRefine((value, context) => {
  const url = parsed(value)
  const refuse = (message: string) => void context.addIssue({ code: 'custom', message })
  if (url?.protocol === 'data:') {
    const [, data] = /^data:image\/(?:png|jpeg|gif|webp|svg\+xml);base64,([A-Za-z0-9+/]+={0,2})$/.exec(value) ?? []
    if (data === undefined) refuse('must be a data: address of a PNG, JPEG, GIF, WebP or SVG image in base64')
    else if (Buffer.byteLength(data, 'base64') > mostLogoBytes) refuse('must be an image of 32 KB at most where it is in the address')
  } else if (!url || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url))) || value.length > 1000) {
    refuse('must be an https address, an http one of this machine, or a data: address of an image')
  }
})

const organizationShape = {
  name,
  primaryDomain: domainName,
  logoUri: orNone(logo),
  accentColor: orNone(z.string().regex(/^#[0-9a-f]{6}$/i, 'must be a colour such as #0055aa')),
} as const

const ttl = duration(1, 10 * 365 * 86_400, 'at least 1s and at most 3650d')
/** What `selfManagedProfile` may list. */
export const profileFields = [
  'displayName',
  'givenName',
  'familyName',
  'nickName',
  'gender',
  'locale',
  'picture',
  'address',
  'email',
  'phone',
] as const satisfies readonly ProfileField[]

const settingsShape = {
  registration: z.unknown(),
  dynamicClientRegistration: z.enum(['open', 'token', 'closed']),
  accessTokenTtl: ttl,
  idTokenTtl: ttl,
  refreshTokenTtl: ttl,
  sessionTtl: ttl,
  selfManagedMetadata: z.union([z.literal(false), z.array(text)], 'must be false or a list of keys, in which * stands for anything'),
  selfManagedProfile: z.union([flag, z.array(z.enum(profileFields))], 'must be true, false or a list of fields of the profile'),
  accountDeletionGrace: duration(3600, 10 * 365 * 86_400, 'at least 1h and at most 3650d'),
} as const

const mode = z.enum(['open', 'closed'])
const registrationShape = { mode, fields: z.array(z.unknown()) } as const

const pattern = text.superRefine((value, context) => {
  try {
    wholeMatcher(value)
  } catch (error) {
    context.addIssue({ code: 'custom', message: `must be a regular expression in RE2's syntax (${(error as TypeError).message})` })
  }
})
const labels = z
  .record(z.string(), text)
  .refine(
    (value) => Object.keys(value).length > 0 && Object.keys(value).every(isLanguageTag),
    'must be by language, such as { en: …, de: … }',
  )
const fieldShape = {
  key: text,
  label: z.union([text, labels], 'must be text, or texts by language such as { en: …, de: … }'),
  pattern,
  required: flag,
} as const

export const settingsShapes = [organizationShape, settingsShape, registrationShape, fieldShape] as const

export function readOrganization(
  given: unknown,
  faults: Faults,
): Partial<Pick<Organization, 'name' | 'primaryDomain' | 'logoUri' | 'accentColor'>> {
  return readFields(organizationShape, given, ['organization'], faults)
}

export function readSettings(given: unknown, faults: Faults): Partial<Settings> {
  const values = readFields(settingsShape, given, ['settings'], faults)
  const { accessTokenTtl, idTokenTtl, refreshTokenTtl, sessionTtl, accountDeletionGrace, registration, ...rest } = values
  return {
    ...rest,
    ...('registration' in values && readRegistration(registration, ['settings', 'registration'], faults)),
    ...(accessTokenTtl !== undefined && { accessTokenTtlSeconds: accessTokenTtl }),
    ...(idTokenTtl !== undefined && { idTokenTtlSeconds: idTokenTtl }),
    ...(refreshTokenTtl !== undefined && { refreshTokenTtlSeconds: refreshTokenTtl }),
    ...(sessionTtl !== undefined && { sessionTtlSeconds: sessionTtl }),
    ...(accountDeletionGrace !== undefined && { accountDeletionGraceSeconds: accountDeletionGrace }),
  }
}

/** `open` and `closed`, or the same with fields. */
function readRegistration(given: unknown, path: Path, faults: Faults): Pick<Settings, 'registration' | 'registrationFields'> | undefined {
  if (given === null || typeof given !== 'object') {
    const { data, success } = mode.safeParse(given)
    if (success) return { registration: data, registrationFields: [] }
    faults.add(path, 'must be open or closed, or { mode: …, fields: […] }')
    return undefined
  }
  const values = readFields(registrationShape, given, path, faults, { required: ['mode'] })
  const fields = (values.fields ?? [])
    .map((field, index) => readField(field, [...path, 'fields', index], faults))
    .filter((field) => field !== undefined)
  noteRepeated(fields, 'key', ({ key }) => key, faults)
  return { registration: values.mode ?? 'closed', registrationFields: fields.map(({ path: _, ...field }) => field) }
}

function readField(given: unknown, path: Path, faults: Faults): (RegistrationField & { readonly path: Path }) | undefined {
  const { key, label, required = false, ...rest } = readFields(fieldShape, given, path, faults, { required: ['key', 'label'] })
  return key === undefined || label === undefined ? undefined : { path, key, label, ...rest, required }
}
