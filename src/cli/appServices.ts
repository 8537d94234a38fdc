import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { DomainError } from '#src/base/errors.ts'
import { AppFaults, AppNotFound } from '#src/domain/apps/app.ts'
import type { Folder } from '#src/domain/apps/apps.ts'
import { type Command, operandsOf, optionOf, WrongUsage } from './command.ts'
import { table } from './table.ts'
import { actor, withDomain } from './withDomain.ts'

class FolderInTheWay extends DomainError {
  readonly code = 'cli.folder_in_the_way'
}

const app = {
  type: 'string',
  value: 'ID',
  help: 'The app, by its client app id like myapp-abcde; that of realm_config.json when left out',
} as const
const dryRun = { type: 'boolean', help: 'Say what would change, and change nothing' } as const

export const appServicesPushCommand: Command = {
  name: 'app-services push',
  summary: 'Make an App Services app what its folder says; all or nothing, and an app that is not there yet is made',
  operands: 'DIRECTORY',
  options: { app, 'dry-run': dryRun },
  async run(invocation) {
    const [directory] = operandsOf(invocation, 'DIRECTORY')
    const folder = await readFolder(directory)
    const clientAppId = optionOf(invocation, 'app') ?? clientAppIdIn(folder, directory)
    const isDryRun = invocation.options['dry-run'] === true
    return withDomain(
      invocation,
      async ({ apps }) => {
        const { app: pushed, isNew, files, notServed, missingSecrets } = await apps.push(clientAppId, folder, actor, { isDryRun })
        const changes = files.filter(({ change }) => change !== 'none')
        const would = isDryRun ? 'would be ' : ''
        return {
          json: { app: clientAppId, id: pushed.id, created: isNew, dryRun: isDryRun, changes, notServed, missingSecrets },
          text: [
            ...table(
              ['CHANGE', 'FILE'],
              changes.map(({ path, change }) => [change, path]),
            ),
            changes.length === 0
              ? `${clientAppId}: nothing ${would}changed`
              : `${clientAppId} (${pushed.id}): ${changes.length} files ${would}written`,
            ...notServed.map((path) => `kept, and not served: ${path}`),
            ...missingSecrets.map((name) => `the secret ${name} has no value: dossier app-services secret ${clientAppId} ${name}`),
          ],
        }
      },
      { mayCreate: !isDryRun },
    )
  },
}

export const appServicesPullCommand: Command = {
  name: 'app-services pull',
  summary: "Write an App Services app's folder, byte for byte as it was pushed",
  operands: 'DIRECTORY',
  options: { app, 'dry-run': dryRun },
  async run(invocation) {
    const [directory] = operandsOf(invocation, 'DIRECTORY')
    const isDryRun = invocation.options['dry-run'] === true
    return withDomain(invocation, async ({ apps }) => {
      const before = await readFolder(directory).catch(() => new Map<string, Buffer>())
      const clientAppId = optionOf(invocation, 'app') ?? (before.size > 0 ? clientAppIdIn(before, directory) : await onlyApp(apps.list))
      const view = await apps.findByClientAppId(clientAppId)
      if (!view) throw new AppNotFound(clientAppId)
      if (before.size > 0 && !before.has('realm_config.json')) {
        throw new FolderInTheWay(`${directory} has files and is no app's folder (no realm_config.json): name another directory`)
      }
      const files = apps.filesOf(view.app)
      const changes = [...new Set([...before.keys(), ...files.keys()])].toSorted().flatMap((path) => {
        const [old, next] = [before.get(path), files.get(path)]
        if (old && next?.equals(old)) return []
        return [{ path, change: old ? (next ? 'update' : 'remove') : 'create' }]
      })
      if (!isDryRun) for (const { path } of changes) await put(directory, path, files.get(path))
      return {
        json: { app: clientAppId, id: view.app.id, dryRun: isDryRun, changes },
        text: [
          ...table(
            ['CHANGE', 'FILE'],
            changes.map(({ path, change }) => [change, path]),
          ),
          `${clientAppId}: ${changes.length} files ${isDryRun ? 'would be ' : ''}written to ${directory}`,
        ],
      }
    })
  },
}

export const appServicesListCommand: Command = {
  name: 'app-services list',
  summary: 'All App Services apps',
  operands: '',
  options: {},
  async run(invocation) {
    operandsOf(invocation)
    return withDomain(invocation, async ({ apps }) => {
      const views = await apps.list()
      return {
        json: { apps: views.map(({ app: { id, clientAppId, name } }) => ({ id, clientAppId, name })) },
        text:
          views.length === 0
            ? ['There are no apps: dossier app-services push DIRECTORY makes one']
            : table(
                ['CLIENT APP ID', 'ID', 'NAME'],
                views.map(({ app: { id, clientAppId, name } }) => [clientAppId, id, name]),
              ),
      }
    })
  },
}

export const appServicesSecretCommand: Command = {
  name: 'app-services secret',
  summary: 'Give a secret of an app its value, which is read from stdin or --file; --remove takes it away',
  operands: 'APP NAME',
  options: {
    file: { type: 'string', value: 'PATH', help: 'Where the value is; the line end at its end does not count' },
    remove: { type: 'boolean', help: 'Take the value away' },
  },
  async run(invocation) {
    const [clientAppId, name] = operandsOf(invocation, 'APP', 'NAME')
    const value = invocation.options.remove ? undefined : await secretValue(optionOf(invocation, 'file'))
    return withDomain(invocation, async ({ apps }) => {
      const view = await apps.findByClientAppId(clientAppId)
      if (!view) throw new AppNotFound(clientAppId)
      await apps.setSecret(view.app.id, name, value, actor)
      const done = value === undefined ? 'has no value any more' : 'has its value'
      return { json: { app: clientAppId, name, set: value !== undefined }, text: [`The secret ${name} of ${clientAppId} ${done}`] }
    })
  },
}

export const appServicesTriggersCommand: Command = {
  name: 'app-services triggers',
  summary: 'The triggers of an app, with what was given up of each; --retry has that run once more',
  operands: 'APP',
  options: { retry: { type: 'string', value: 'TRIGGER', help: 'Run what was given up of this trigger once more' } },
  async run(invocation) {
    const [clientAppId] = operandsOf(invocation, 'APP')
    const retry = optionOf(invocation, 'retry')
    return withDomain(invocation, async ({ apps, triggerTasks }) => {
      const view = await apps.findByClientAppId(clientAppId)
      if (!view) throw new AppNotFound(clientAppId)
      const { triggers } = view.configuration
      if (retry !== undefined) {
        if (!triggers.has(retry)) throw new WrongUsage(`${clientAppId} has no trigger ${JSON.stringify(retry)}`)
        const retried = await triggerTasks.revive(view.app.id, retry)
        return { json: { app: clientAppId, trigger: retry, retried }, text: [`${retried} runs of ${retry} are tried again`] }
      }
      const told = await Promise.all(
        [...triggers].map(async ([name, { type, disabled, function_name: called, config }]) => ({
          name,
          type,
          disabled,
          function: called,
          config,
          deadLetters: await triggerTasks.listDead(view.app.id, name),
        })),
      )
      return {
        json: { app: clientAppId, triggers: told },
        text:
          told.length === 0
            ? [`${clientAppId} has no triggers`]
            : [
                ...table(
                  ['TRIGGER', 'TYPE', 'STATE', 'FUNCTION', 'GIVEN UP'],
                  told.map((each) => [
                    each.name,
                    each.type,
                    each.disabled ? 'disabled' : 'enabled',
                    each.function ?? '',
                    String(each.deadLetters.length),
                  ]),
                ),
                ...told.flatMap(({ name, deadLetters }) =>
                  deadLetters.map(
                    ({ failedAt, event, reason }) =>
                      `${name}: ${failedAt} ${event ? `${event.operationType} of ${event.userId}: ` : ''}${reason}`,
                  ),
                ),
              ],
      }
    })
  },
}

async function secretValue(path: string | undefined): Promise<string> {
  const chunks: Buffer[] = []
  if (path === undefined) for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  else chunks.push(await readFile(path))
  const value = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
  if (value === '') throw new WrongUsage('the value is empty: give it on stdin or by --file')
  return value
}

/** What the tool of App Services leaves in a folder, and what is nobody's configuration. */
const ignored = new Set(['node_modules', '.git', '.mdb', '.DS_Store'])

async function readFolder(directory: string): Promise<Folder> {
  const files = new Map<string, Buffer>()
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    const path = relative(directory, join(entry.parentPath, entry.name)).split(sep).join('/')
    if (!entry.isFile() || path.split('/').some((part) => ignored.has(part))) continue
    files.set(path, await readFile(join(directory, path)))
  }
  return files
}

function clientAppIdIn(folder: Folder, directory: string): string {
  const file = folder.get('realm_config.json')
  if (!file) throw new AppFaults([`${directory}/realm_config.json is missing: name the app's folder, or the app with --app`])
  try {
    const { app_id: id } = JSON.parse(file.toString('utf8')) as { app_id?: unknown }
    if (typeof id === 'string' && id !== '') return id
  } catch (error) {
    throw new AppFaults([`realm_config.json: is not JSON: ${(error as Error).message}`])
  }
  throw new AppFaults(['realm_config.json: app_id: is missing: name the app there, or with --app'])
}

async function onlyApp(list: () => Promise<readonly { readonly app: { readonly clientAppId: string } }[]>): Promise<string> {
  const apps = await list()
  if (apps.length === 1) return (apps[0] as (typeof apps)[0]).app.clientAppId
  throw new WrongUsage(apps.length === 0 ? 'there is no app' : `there are ${apps.length} apps: name one with --app`)
}

async function put(directory: string, path: string, content: Buffer | undefined): Promise<void> {
  const target = join(directory, path)
  // What was pushed through another way than this command could name any place.
  if (relative(directory, target).startsWith('..')) throw new FolderInTheWay(`the app has a file outside of its folder: ${path}`)
  if (!content) return rm(target, { force: true })
  await mkdir(dirname(target), { recursive: true })
  await writeFile(target, content)
}
