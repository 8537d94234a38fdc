/** The programs that can be a MongoDB for tests, in the order in which they are taken. */
import { execFile } from 'node:child_process'
import { access, constants, mkdir, rename, rm } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface MongodbForm {
  /** Without a replica set, as Dossier does not take it. */
  readonly standalone?: boolean
  /** What is never killed need not wait for the disk. A mongod always does for a majority. */
  readonly forgetful?: boolean
}

export interface MongodbProgram {
  readonly name: string
  readonly file: string
  /** Arguments that make it keep its data in `directory` and listen on `port`. */
  arguments(directory: string, port: number, form: MongodbForm): readonly string[]
  /** Whether the replica set must be told to begin. */
  readonly isInitiated: boolean
}

const secantusVersion = '0.7.0b3'

/** A program on this machine, installed where needed. @throws Error with the reason when there is none */
export async function findMongodbProgram(): Promise<MongodbProgram> {
  const mongod = await onPath('mongod')
  if (mongod) {
    return {
      name: 'mongod',
      file: mongod,
      isInitiated: false,
      arguments: (directory, port, { standalone }) => [
        ...['--dbpath', directory, '--port', `${port}`, '--bind_ip', '127.0.0.1', '--quiet'],
        ...(standalone ? [] : ['--replSet', 'rs0']),
      ],
    }
  }
  return {
    name: `SecantusDB ${secantusVersion}`,
    file: await installedPython(),
    isInitiated: true,
    arguments: (directory, port, { standalone, forgetful }) => [
      ...['-c', 'import sys; from secantus.cli import main; sys.exit(main())'],
      ...['--host', '127.0.0.1', '--port', `${port}`, '--storage-path', directory, '--cache-size', '256M', '--log-level', 'WARNING'],
      ...(standalone ? ['--standalone'] : []),
      ...(forgetful ? [] : ['--sync-on-commit']),
    ],
  }
}

/** The Python of a virtual environment with SecantusDB, made at the first time. @throws Error */
async function installedPython(): Promise<string> {
  const target = resolve(import.meta.dirname, '../../.cache', `secantusdb-${secantusVersion}`)
  const python = join(target, 'bin/python')
  if (await isExecutable(python)) return python
  const python3 = await onPath('python3')
  if (!python3) throw new Error('neither mongod nor python3 is on the PATH')
  process.stderr.write(`Installing SecantusDB ${secantusVersion} into .cache, once, for tests on MongoDB\n`)
  // Under another name until it is complete: a run that is cut short, or another one at the same time, does not leave a half of it.
  const draft = `${target}.${process.pid}`
  await mkdir(resolve(target, '..'), { recursive: true })
  try {
    await run(python3, ['-m', 'venv', draft])
    await run(join(draft, 'bin/python'), [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      `SecantusDB==${secantusVersion}`,
    ])
    await rename(draft, target)
  } catch (error) {
    if (await isExecutable(python)) return python
    throw new Error(`SecantusDB could not be installed: ${(error as Error).message.split('\n').slice(0, 3).join(' ')}`, { cause: error })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return python
}

async function onPath(name: string): Promise<string | undefined> {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(directory, name)
    if (directory !== '' && (await isExecutable(file))) return file
  }
  return undefined
}

const isExecutable = (file: string) =>
  access(file, constants.X_OK).then(
    () => true,
    () => false,
  )
