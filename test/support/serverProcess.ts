import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { tempDir } from './temp.ts'

const program = resolve(import.meta.dirname, '../../bin/dossier.js')

export interface ServerProcess extends AsyncDisposable {
  readonly child: ChildProcess
  /** What it has said so far. */
  readonly stdout: () => string
  readonly stderr: () => string
}

/** Runs `dossier serve` as an operator does, in an empty folder, and waits until it says that it is running. @throws Error with what it said when it ends instead */
export async function startServer(environment: Readonly<Record<string, string>>, directory = tempDir()): Promise<ServerProcess> {
  const child = spawn(process.execPath, [program, 'serve'], {
    cwd: directory,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  const ended = once(child, 'exit')
  const running = new Promise<'running'>((done) => {
    child.stdout.on('data', () => stdout.includes('openid-configuration') && done('running'))
  })
  const first = await Promise.race([running, ended])
  if (first !== 'running') throw new Error(`dossier serve ended with ${first[0]}:\n${stdout}${stderr}`)
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await ended
      }
    },
  }
}
