/** Apps for tests, without a store. */
import type { AppView } from '#src/domain/apps/app.ts'
import { readAppConfiguration } from '#src/domain/apps/configuration.ts'

/** An app of these functions, and of the further fields of each in `functions/config.json`. */
export function appView(
  functions: Readonly<Record<string, string>>,
  fields: Readonly<Record<string, object>> = {},
  files: Readonly<Record<string, unknown>> = {},
): AppView {
  const listed = Object.keys(functions).map((name) => ({ name, private: false, ...fields[name] }))
  const texts = new Map<string, string>([
    ['data_sources/mongodb-atlas/config.json', JSON.stringify({ name: 'mongodb-atlas', type: 'mongodb-atlas' })],
    ['functions/config.json', JSON.stringify(listed)],
    ...Object.entries(functions).map(([name, source]): [string, string] => [`functions/${name}.js`, source]),
    ...Object.entries(files).map(([path, value]): [string, string] => [path, typeof value === 'string' ? value : JSON.stringify(value)]),
  ])
  const { configuration, faults } = readAppConfiguration(texts)
  if (faults.length > 0) throw new Error(faults.join('\n'))
  const at = new Date()
  const id = '63c060ed32043ef4c93c2a9c'
  return {
    app: {
      id,
      clientAppId: 'myapp-abcde',
      name: 'myapp',
      files: {},
      ids: {},
      secrets: {},
      refreshTokenSeconds: 5_184_000,
      createdAt: at,
      changedAt: at,
    },
    configuration,
  }
}
