/** The real command line in a directory of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { freePort } from '../support/ports.ts'
import { tempDir } from '../support/temp.ts'

const program = resolve(import.meta.dirname, '../../bin/dossier.js')

export const demo = resolve(import.meta.dirname, '../../examples/demo.yaml')

export interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
  /** What stdout holds as one JSON document. */
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the form that it expects
  readonly json: any
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** What is typed into stdin. */
  readonly input?: string
}

/** An empty directory in which `dossier` can be called, as an operator would there. */
export function workplace(environment: Readonly<Record<string, string>> = {}) {
  const directory = tempDir()
  const start = (words: readonly string[], options: RunOptions = {}) =>
    spawn(process.execPath, [program, ...words], {
      cwd: directory,
      env: { PATH: process.env.PATH, ...environment, ...options.environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    })

  return {
    directory,
    path: (name: string) => join(directory, name),
    write(name: string, content: string) {
      writeFileSync(join(directory, name), content)
      return name
    },

    async run(words: readonly string[], options: RunOptions = {}): Promise<Ran> {
      const child = start(words, options)
      child.stdin.end(options.input ?? '')
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
      if (child.exitCode === null) await once(child, 'exit')
      const ran = { status: child.exitCode, stdout, stderr }
      return {
        ...ran,
        get json() {
          return JSON.parse(stdout)
        },
      }
    },

    /** Starts the server and answers once it listens; dispose it to stop it. */
    async serve(options: RunOptions = {}) {
      const issuer = `http://localhost:${await freePort()}`
      const child = start(['serve'], { environment: { DOSSIER_ISSUER: issuer, ...options.environment } })
      const said: string[] = []
      child.stdout.setEncoding('utf8')
      child.stderr.resume()
      await new Promise<void>((listening, fail) => {
        child.stdout.on('data', (chunk: string) => {
          said.push(chunk)
          if (said.join('').includes('.well-known')) listening()
        })
        child.on('exit', (status) => fail(new Error(`the server ended with ${status}`)))
      })
      return {
        issuer,
        /** What it said to the person who started it. */
        said: () => said.join(''),
        async [Symbol.asyncDispose]() {
          child.kill('SIGTERM')
          await once(child, 'exit')
        },
      }
    },

    /** How many events the store has recorded: a change that writes anything adds to them. */
    eventCount(): number {
      const database = new DatabaseSync(join(directory, 'data/dossier.db'), { readOnly: true })
      try {
        return Number(database.prepare('SELECT count(*) AS number FROM events').get()?.number)
      } finally {
        database.close()
      }
    },
  }
}

/** A token of a machine user, asked for as a client would. */
export async function machineToken(issuer: string, username: string, secret: string): Promise<Response> {
  return fetch(new URL('/oauth/v2/token', issuer), {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'openid' }),
  })
}
