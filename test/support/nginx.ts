/** Debian's nginx, for the test of its example. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { tempDir } from './temp.ts'

const program = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/sbin/nginx'].find((path) => existsSync(path))

/** Why there is no nginx, where there is none. On CI that is a failure, not a reason to skip. */
export const withoutNginx = program || process.env.CI === 'true' ? undefined : 'no nginx: apt-get install nginx'

/** Runs nginx on a configuration file until it is disposed of. @throws Error with what it said when it does not listen on `port` */
export async function startNginx(configurationFile: string, port: number): Promise<AsyncDisposable> {
  if (!program) throw new Error('nginx is not installed: apt-get install nginx')
  const child = spawn(program, ['-p', tempDir(), '-c', configurationFile], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk
  })
  const ended = once(child, 'exit')
  while (!(await listens(port))) {
    if (child.exitCode !== null) throw new Error(`nginx does not run:\n${said}`)
    await setTimeout(20)
  }
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
