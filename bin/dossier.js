#!/usr/bin/env node
// Starts the command line with a Node that can run it: this one, or the one that `npm ci` has installed beside it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const oldest = 24
const own = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url))

// Started by an older Node: when that one is gone, without having been able to say so, this one goes too.
if (process.channel) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  process.channel.unref()
}

if (Number(process.versions.node.split('.')[0]) >= oldest) {
  // Keeps compiled code between starts: half the time to the first page, and no TypeScript stripper in memory.
  module.enableCompileCache?.()
  await import('../src/cli/cli.ts').catch((error) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || !error.message.includes('Cannot find package')) throw error
    complain('What Dossier is made of is not installed; run "npm ci" here first.')
  })
} else if (existsSync(own)) {
  const child = spawn(own, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => (signal ? process.kill(process.pid, signal) : process.exit(code ?? 1)))
} else {
  complain(
    `Dossier needs Node ${oldest} or newer, and this is ${process.version}; install one, or run "npm ci" here, which brings one along (unless it is told --ignore-scripts).`,
  )
}

function complain(sentence) {
  console.error(sentence)
  process.exit(1)
}
