/** The files of an app's folder, field by field. What they have beside these is kept and means nothing here. */
import { z } from 'zod'
import { nextMoment } from '#src/base/schedule.ts'

const text = z.string()
const flag = z.boolean()
/** A rule expression: true, false, or an object that is evaluated. */
const expression = z.union([flag, z.record(text, z.unknown())])

export const realmConfigFile = z.looseObject({
  app_id: text.optional(),
  name: text.optional(),
  environment: text.optional(),
  /** Of browsers; none means all. */
  allowed_request_origins: z.array(text).optional(),
})
export type RealmConfigFile = z.output<typeof realmConfigFile>

/** App Services' own; any further `oauth2-NAME` is an OpenID Connect provider, which `config.issuer` names. */
const providerTypes = [
  'anon-user',
  'local-userpass',
  'api-key',
  'custom-token',
  'custom-function',
  'oauth2-google',
  'oauth2-facebook',
  'oauth2-apple',
]
const providerType = text.refine(
  (type) => providerTypes.includes(type) || /^oauth2-[a-z0-9-]{1,50}$/.test(type),
  `must be one of ${providerTypes.join(', ')}, or oauth2-NAME with config.issuer`,
)

const metadataField = z.looseObject({
  required: flag.default(false),
  /** Of a custom JWT a path, of the others a field's name. */
  name: text.min(1, 'must not be empty'),
  field_name: text.max(63, 'must have fewer than 64 characters').optional(),
})

/** The documentation's templates have one text where the reference has a list. */
const audience = z.union([
  z.array(text),
  text.transform((value) => (value.trim() === '' ? [] : value.split(',').map((each) => each.trim()))),
])

const url = text.refine(
  (value) => value === '' || /^https?:$/.test(URL.canParse(value) ? new URL(value).protocol : ''),
  'must be an http or https address',
)
const subject = text.max(256, 'must have 256 characters at most')

const providerConfig = z.looseObject({
  // local-userpass
  autoConfirm: flag.optional(),
  emailConfirmationUrl: url.optional(),
  confirmEmailSubject: subject.optional(),
  runConfirmationFunction: flag.optional(),
  confirmationFunctionName: text.optional(),
  resetPasswordUrl: url.optional(),
  resetPasswordSubject: subject.optional(),
  runResetFunction: flag.optional(),
  resetFunctionName: text.optional(),
  // custom-token
  audience: audience.optional(),
  requireAnyAudience: z.union([flag, z.enum(['true', 'false']).transform((value) => value === 'true')]).optional(),
  signingAlgorithm: z.enum(['HS256', 'RS256']).optional(),
  useJWKURI: flag.optional(),
  jwkURI: url.optional(),
  // custom-function
  authFunctionName: text.optional(),
  // oauth2-*
  clientId: text.optional(),
  openId: flag.optional(),
  /** Ours, for the generic OpenID Connect provider (`oauth2-apple` names Apple's own). */
  issuer: url.optional(),
})

export const authProvider = z
  .looseObject({
    name: text.optional(),
    type: providerType,
    disabled: flag.default(false),
    config: providerConfig.optional(),
    /** Names of secrets. */
    secret_config: z
      .looseObject({ signingKeys: z.array(text).max(3, 'has three keys at most').optional(), clientSecret: text.optional() })
      .optional(),
    metadata_fields: z.array(metadataField).optional(),
    redirect_uris: z.array(text).optional(),
    domain_restrictions: z.array(text).optional(),
  })
  .refine(({ type, config }) => !type.startsWith('oauth2-') || providerTypes.includes(type) || config?.issuer, {
    path: ['config', 'issuer'],
    message: 'is missing: it says which OpenID Connect provider this is',
  })
export type AuthProvider = z.output<typeof authProvider>
/** Each is read by itself. */
export const providersFile = z.record(text, z.unknown())

export const customUserDataFile = z.looseObject({
  enabled: flag.default(false),
  mongo_service_name: text.optional(),
  database_name: text.optional(),
  collection_name: text.optional(),
  user_id_field: text.optional(),
  on_user_creation_function_name: text.optional(),
})
export type CustomUserDataFile = z.output<typeof customUserDataFile>

const functionName = text.regex(/^[A-Za-z0-9_$/-]{1,128}$/, 'must be letters, digits, "_", "-" and "/", 128 at most')
const functionFile = z.looseObject({
  name: functionName,
  id: text.optional(),
  private: flag.default(false),
  run_as_system: flag.optional(),
  run_as_user_id: text.optional(),
  run_as_user_id_script_source: text.optional(),
  can_evaluate: expression.optional(),
  disable_arg_logs: flag.optional(),
})
export type FunctionFile = z.output<typeof functionFile>
export const functionsFile = z.array(functionFile)

const operation = z.enum(['LOGIN', 'CREATE', 'DELETE'])
const strings = z.union([z.array(text), text.transform((value) => [value])])

/** What is wrong with a schedule; nothing when it is right. */
function scheduleFault(schedule: string): string | undefined {
  try {
    nextMoment(schedule, new Date())
    return undefined
  } catch {
    return `must be a cron expression of five parts, like "0 3 * * *", and is ${JSON.stringify(schedule)}`
  }
}

export const triggerFile = z
  .looseObject({
    id: text.optional(),
    name: text.optional(),
    type: z.enum(['AUTHENTICATION', 'SCHEDULED', 'DATABASE']),
    disabled: flag.default(false),
    /** In the older form of the files. */
    function_name: text.optional(),
    config: z.looseObject({
      operation_type: z.union([z.array(operation), operation.transform((value) => [value])]).optional(),
      operation_types: z.array(text).optional(),
      providers: strings.optional(),
      schedule: text.optional(),
      skip_catchup_events: flag.optional(),
    }),
    event_processors: z
      .looseObject({
        FUNCTION: z.looseObject({ config: z.looseObject({ function_name: text.optional(), function_id: text.optional() }) }).optional(),
      })
      .optional(),
  })
  .superRefine(({ type, config: { operation_type: operations = [], schedule } }, { addIssue }) => {
    if (type === 'AUTHENTICATION' && operations.length === 0)
      addIssue({ code: 'custom', path: ['config', 'operation_type'], message: 'is missing: LOGIN, CREATE or DELETE' })
    const fault = type === 'SCHEDULED' && scheduleFault(schedule ?? '')
    if (fault) addIssue({ code: 'custom', path: ['config', 'schedule'], message: fault })
  })
  .transform((trigger) => ({
    ...trigger,
    function_name: trigger.function_name ?? trigger.event_processors?.FUNCTION?.config.function_name,
  }))
export type TriggerFile = z.output<typeof triggerFile>

const fieldRule: z.ZodType<FieldRule> = z.lazy(() =>
  z.looseObject({ read: expression.optional(), write: expression.optional(), fields: z.record(text, fieldRule).optional() }),
)
/** What may be done with a field, and with the fields in it. */
export interface FieldRule {
  readonly read?: boolean | Readonly<Record<string, unknown>>
  readonly write?: boolean | Readonly<Record<string, unknown>>
  readonly fields?: Readonly<Record<string, FieldRule>>
}

const role = z.looseObject({
  name: text,
  apply_when: z.record(text, z.unknown()).default({}),
  document_filters: z.looseObject({ read: expression.optional(), write: expression.optional() }).optional(),
  read: expression.optional(),
  write: expression.optional(),
  insert: expression.optional(),
  delete: expression.optional(),
  search: expression.optional(),
  fields: z.record(text, fieldRule).optional(),
  additional_fields: z.looseObject({ read: expression.optional(), write: expression.optional() }).optional(),
})
export type RoleFile = z.output<typeof role>

export const rulesFile = z.looseObject({
  database: text.optional(),
  collection: text.optional(),
  roles: z.array(role).default([]),
  filters: z
    .array(
      z.looseObject({
        name: text,
        apply_when: z.record(text, z.unknown()).default({}),
        query: z.record(text, z.unknown()).optional(),
        projection: z.record(text, z.unknown()).optional(),
      }),
    )
    .default([]),
})
export type RulesFile = z.output<typeof rulesFile>

export const dataSourceFile = z.looseObject({
  name: text.min(1, 'must not be empty'),
  type: z.enum(['mongodb-atlas', 'mongodb', 'datalake']),
})
export type DataSourceFile = z.output<typeof dataSourceFile>

export const valueFile = z.looseObject({
  name: text.optional(),
  value: z.unknown(),
  from_secret: flag.default(false),
  private: flag.optional(),
})
export type ValueFile = z.output<typeof valueFile>

export const environmentFile = z.looseObject({ values: z.record(text, z.unknown()).default({}) })
