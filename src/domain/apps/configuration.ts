/**
 * What the files of an app say, as far as Dossier serves it. Everything else in the folder is kept and listed as not served. Names in the
 * files are App Services' own (contracts/app-services.md, sections 1 and 3, and its configuration reference).
 */
import { isCollectionName, isDatabaseName, isFieldPath } from '#src/base/forms.ts'
import { type Found, faultsOf, readJson, readPart } from './files.ts'
import {
  type AuthProvider,
  authProvider,
  type CustomUserDataFile,
  customUserDataFile,
  type DataSourceFile,
  dataSourceFile,
  environmentFile,
  type FunctionFile,
  functionsFile,
  providersFile,
  type RealmConfigFile,
  type RulesFile,
  realmConfigFile,
  rulesFile,
  type TriggerFile,
  triggerFile,
  type ValueFile,
  valueFile,
} from './schemas.ts'

export type { RoleFile, RulesFile } from './schemas.ts'

interface AppFunction extends FunctionFile {
  readonly source: string
  /** Of its source in the folder. */
  readonly path: string
}

interface AppTrigger extends TriggerFile {
  /** Of its file in the folder. */
  readonly path: string
}

interface AppDataSource extends DataSourceFile {
  /** By `database.collection`. */
  readonly rules: ReadonlyMap<string, RulesFile>
  readonly defaultRule?: RulesFile
}

interface CustomUserData {
  readonly service: string
  readonly database: string
  readonly collection: string
  readonly userIdField: string
  readonly onUserCreation?: string
}

export interface AppConfiguration {
  readonly realm: RealmConfigFile
  /** By type; there is at most one of each. */
  readonly providers: ReadonlyMap<string, AuthProvider>
  /** Absent when it is switched off. */
  readonly customUserData?: CustomUserData
  readonly customUserDataFile: CustomUserDataFile
  readonly functions: ReadonlyMap<string, AppFunction>
  readonly triggers: ReadonlyMap<string, AppTrigger>
  readonly dataSources: ReadonlyMap<string, AppDataSource>
  readonly values: ReadonlyMap<string, ValueFile>
  readonly environment: { readonly tag: string; readonly values: Readonly<Record<string, unknown>> }
  /** Paths of files that are kept and do nothing. */
  readonly notServed: readonly string[]
}

/** Paths of what is read, each with what it is. */
const patterns = {
  function: /^functions\/(?!config\.json$)(.+)\.js$/,
  trigger: /^triggers\/([^/]+)\.json$/,
  dataSource: /^data_sources\/([^/]+)\/config\.json$/,
  defaultRule: /^data_sources\/([^/]+)\/default_rule\.json$/,
  rules: /^data_sources\/([^/]+)\/[^/]+\/[^/]+\/rules\.json$/,
  value: /^values\/([^/]+)\.json$/,
  environment: /^environments\/([^/]+)\.json$/,
} as const

const single = new Set(['realm_config.json', 'auth/providers.json', 'auth/custom_user_data.json', 'functions/config.json'])

/**
 * What `files` (text by path) say, and all that is wrong with them: one line a fault, with file and path. The configuration is whole only
 * when there is no fault.
 */
export function readAppConfiguration(files: ReadonlyMap<string, string>): {
  readonly configuration: AppConfiguration
  readonly faults: readonly string[]
} {
  const faults: string[] = []
  const read = <T>(path: string, schema: Parameters<typeof readJson<T>>[2], otherwise: T): T =>
    readJson(files, path, schema, otherwise, faults)
  const matching = (pattern: RegExp): readonly Found[] =>
    [...files.keys()].toSorted().flatMap((path) => {
      const name = pattern.exec(path)?.[1]
      return name === undefined ? [] : [{ path, name }]
    })

  const realm = read('realm_config.json', realmConfigFile, {})
  const providers = providersOf(read('auth/providers.json', providersFile, {}), faults)
  const custom = read<CustomUserDataFile>('auth/custom_user_data.json', customUserDataFile, { enabled: false })
  const functions = functionsOf(read('functions/config.json', functionsFile, []), matching(patterns.function), files, faults)

  const triggers = new Map<string, AppTrigger>()
  for (const { path, name } of matching(patterns.trigger)) {
    const trigger = read<TriggerFile | undefined>(path, triggerFile, undefined)
    if (!trigger) continue
    const called = trigger.name ?? name
    if (triggers.has(called)) faults.push(faultsOf(path, ['name'], `${called} is the name of another trigger too`))
    triggers.set(called, { ...trigger, path })
  }
  const dataSources = new Map<string, AppDataSource>()
  for (const { path, name } of matching(patterns.dataSource)) {
    const source = read<DataSourceFile | undefined>(path, dataSourceFile, undefined)
    if (!source) continue
    const rules = new Map<string, RulesFile>()
    for (const found of matching(patterns.rules).filter((each) => each.name === name)) {
      const file = read<RulesFile | undefined>(found.path, rulesFile, undefined)
      if (!file) continue
      const [database, collection] = found.path.split('/').slice(2, 4) as [string, string]
      rules.set(`${file.database ?? database}.${file.collection ?? collection}`, file)
    }
    const [fallback] = matching(patterns.defaultRule).filter((each) => each.name === name)
    const defaultRule = fallback && read<RulesFile | undefined>(fallback.path, rulesFile, undefined)
    dataSources.set(source.name, { ...source, rules, ...(defaultRule && { defaultRule }) })
  }
  const values = new Map<string, ValueFile>()
  for (const { path, name } of matching(patterns.value)) {
    const value = read<ValueFile | undefined>(path, valueFile, undefined)
    if (value) values.set(value.name ?? name, value)
  }
  const tag = realm.environment ?? ''
  const environment = {
    tag,
    values: read(`environments/${tag === '' ? 'no-environment' : tag}.json`, environmentFile, { values: {} }).values,
  }

  const configuration: AppConfiguration = {
    realm,
    providers,
    ...(custom.enabled && {
      customUserData: {
        service: custom.mongo_service_name ?? 'mongodb-atlas',
        database: custom.database_name ?? '',
        collection: custom.collection_name ?? '',
        userIdField: custom.user_id_field ?? '',
        ...(custom.on_user_creation_function_name && { onUserCreation: custom.on_user_creation_function_name }),
      },
    }),
    customUserDataFile: custom,
    functions,
    triggers,
    dataSources,
    values,
    environment,
    notServed: [...files.keys()]
      .filter((path) => !single.has(path) && !Object.values(patterns).some((pattern) => pattern.test(path)))
      .concat([...triggers.values()].filter(isNotServed).map(({ path }) => path))
      .toSorted(),
  }
  faults.push(...danglingNames(configuration))
  return { configuration, faults }
}

/** Triggers of a database, and those that call something else than a function. */
const isNotServed = ({ type, function_name: name }: AppTrigger) => type === 'DATABASE' || name === undefined

function providersOf(given: Readonly<Record<string, unknown>>, faults: string[]): ReadonlyMap<string, AuthProvider> {
  const file = 'auth/providers.json'
  const providers = new Map<string, AuthProvider>()
  for (const [key, value] of Object.entries(given)) {
    const type = (value as { readonly type?: unknown } | null)?.type
    if (typeof type === 'string' && type !== key) {
      faults.push(faultsOf(file, [key, 'type'], `must be ${JSON.stringify(key)}, as the provider is called`))
    }
    const provider = readPart<AuthProvider>(file, [key], value, authProvider, faults)
    if (provider) providers.set(key, provider)
  }
  return providers
}

function functionsOf(
  listed: readonly FunctionFile[],
  sources: readonly Found[],
  files: ReadonlyMap<string, string>,
  faults: string[],
): ReadonlyMap<string, AppFunction> {
  const functions = new Map<string, AppFunction>()
  const byName = new Map(sources.map((each) => [each.name, each.path]))
  for (const [index, each] of listed.entries()) {
    const path = byName.get(each.name)
    if (path === undefined) faults.push(faultsOf('functions/config.json', [index, 'name'], `there is no functions/${each.name}.js`))
    else if (functions.has(each.name)) faults.push(faultsOf('functions/config.json', [index, 'name'], `${each.name} is listed twice`))
    else functions.set(each.name, { ...each, path, source: files.get(path) ?? '' })
  }
  // What nobody lists is private: App Services' own files list every function.
  for (const { name, path } of sources) {
    if (!functions.has(name)) functions.set(name, { name, private: true, path, source: files.get(path) ?? '' })
  }
  return functions
}

/** The forms of names in custom user data. */
const customNames = { database_name: isDatabaseName, collection_name: isCollectionName, user_id_field: isFieldPath } as const

/** Names in the files that nothing has, or that cannot be. */
function danglingNames({
  providers,
  customUserDataFile: custom,
  functions,
  triggers,
  dataSources,
  values,
}: AppConfiguration): readonly string[] {
  const faults: string[] = []
  const called = (file: string, path: readonly (string | number)[], name: string | undefined) => {
    if (name !== undefined && name !== '' && !functions.has(name))
      faults.push(faultsOf(file, path, `there is no function ${JSON.stringify(name)}`))
  }
  for (const [key, { config }] of providers) {
    const names = {
      confirmationFunctionName: config?.runConfirmationFunction,
      resetFunctionName: config?.runResetFunction,
      authFunctionName: true,
    }
    for (const [field, isUsed] of Object.entries(names)) {
      if (isUsed)
        called('auth/providers.json', [key, 'config', field], (config as Readonly<Record<string, unknown>>)?.[field] as string | undefined)
    }
  }
  const file = 'auth/custom_user_data.json'
  if (custom.enabled) {
    for (const field of ['database_name', 'collection_name', 'user_id_field'] as const) {
      const value = custom[field]
      if (!value) faults.push(faultsOf(file, [field], 'is missing: custom user data that is enabled needs it'))
      else if (!customNames[field](value)) faults.push(faultsOf(file, [field], 'is no name that MongoDB takes'))
    }
    const service = custom.mongo_service_name ?? 'mongodb-atlas'
    if (!dataSources.has(service)) faults.push(faultsOf(file, ['mongo_service_name'], `there is no data source ${JSON.stringify(service)}`))
  }
  called(file, ['on_user_creation_function_name'], custom.on_user_creation_function_name)
  for (const { path, function_name: name } of triggers.values()) called(path, ['function_name'], name)
  for (const [name, { value, from_secret }] of values) {
    if (from_secret && typeof value !== 'string') faults.push(faultsOf(`values/${name}.json`, ['value'], 'must be the name of a secret'))
  }
  return faults
}
