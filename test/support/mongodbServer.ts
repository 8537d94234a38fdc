/** A MongoDB server of the tests' own, as a child process on a free port, with its data in a temporary folder. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import { findMongodbProgram, type MongodbForm, type MongodbProgram } from './mongodbPrograms.ts'
import { freePort } from './ports.ts'
import { tempDir } from './temp.ts'

export interface MongodbServer extends AsyncDisposable {
  readonly url: string
  /** Ends it as a loss of power would, and resolves when it is gone. */
  kill(): Promise<void>
  /** Stands still, with every connection open, until `resume`. */
  /** Answers when nothing of it moves any more. */
  pause(): Promise<void>
  resume(): void
  /** Starts it again, on the same data and port. */
  restart(): Promise<void>
}

/** Starts a server that only the caller knows. @throws Error when this machine has no program for it */
export async function startMongodb(form: MongodbForm = {}): Promise<MongodbServer> {
  const program = await findMongodbProgram()
  const directory = tempDir()
  const port = await freePort('127.0.0.1')
  let child = await start(program, directory, port, form)
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  return {
    url: `mongodb://127.0.0.1:${port}`,
    kill,
    async pause() {
      child.kill('SIGSTOP')
      const stateOf = () => /\) (\S)/.exec(readFileSync(`/proc/${child.pid}/stat`, 'utf8'))?.[1]
      while (stateOf() !== 'T') await new Promise((resolve) => setTimeout(resolve, 5))
    },
    resume: () => child.kill('SIGCONT'),
    async restart() {
      child = await start(program, directory, port, form)
    },
    async [Symbol.asyncDispose]() {
      await kill()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

const startMs = 30_000

async function start(program: MongodbProgram, directory: string, port: number, form: MongodbForm): Promise<ChildProcess> {
  const child = spawn(program.file, program.arguments(directory, port, form), { stdio: ['ignore', 'ignore', 'pipe'] })
  process.once('exit', () => child.kill('SIGKILL'))
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    said = (said + chunk).slice(-2000)
  })
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`${program.name} ended with ${code}: ${said}`)
  })
  failed.catch(() => undefined)
  try {
    await Promise.race([ready(program, port, form), failed])
    return child
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

/** Resolves when the server takes writes. */
async function ready(program: MongodbProgram, port: number, { standalone }: MongodbForm): Promise<void> {
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, { serverSelectionTimeoutMS: startMs })
  try {
    const admin = client.db('admin')
    await admin.command({ ping: 1 })
    const begun = program.isInitiated || standalone || (await admin.command({ hello: 1 })).setName !== undefined
    const members = [{ _id: 0, host: `127.0.0.1:${port}` }]
    if (!begun) await admin.command({ replSetInitiate: { _id: 'rs0', members } }).catch(ignoringInitiated)
    const deadline = performance.now() + startMs
    while (!(await admin.command({ hello: 1 })).isWritablePrimary) {
      if (performance.now() > deadline) throw new Error(`${program.name} has not become a primary`)
      await delay(50)
    }
  } finally {
    await client.close()
  }
}

const alreadyInitialized = 23

function ignoringInitiated(error: { code?: unknown }): void {
  if (error.code !== alreadyInitialized) throw error
}
