import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { SecretSources } from '#src/domain/provisioning/secrets.ts'
import { type Invocation, optionOf, WrongUsage } from './command.ts'
import { askNewPassword, hasTerminal } from './terminal.ts'

/** Where the secrets of a configuration file are read: the environment, and files beside it. */
export const secretSources = (path: string, environment: Invocation['environment']): SecretSources => ({
  environment: (name) => environment[name],
  file(name) {
    try {
      return withoutLastBreak(readFileSync(resolve(dirname(path), name), 'utf8'))
    } catch {
      return undefined
    }
  },
})

export const passwordOptions = {
  password: { type: 'string', value: 'env:NAME', help: 'Take the password from an environment variable' },
  'password-file': { type: 'string', value: 'PATH', help: 'Take the password from a file, or from stdin when PATH is -' },
} as const

/**
 * The password that the call gives; otherwise the person at the terminal types it. `undefined` when there is neither.
 * @throws WrongUsage when it stands in the call itself, where everybody on the machine can read it
 */
export async function readPassword(invocation: Invocation): Promise<string | undefined> {
  const [reference, path] = [optionOf(invocation, 'password'), optionOf(invocation, 'password-file')]
  if (reference !== undefined && path !== undefined) throw new WrongUsage('give --password or --password-file, not both')
  if (path !== undefined) return withoutLastBreak(readFileSync(path === '-' ? 0 : path, 'utf8'))
  if (reference !== undefined) {
    const name = /^env:(.+)$/.exec(reference)?.[1]
    if (name === undefined) {
      throw new WrongUsage('--password takes env:NAME: a password that stands in a command can be read by others, and stays in the history')
    }
    const password = invocation.environment[name]
    if (!password) throw new WrongUsage(`the environment variable ${name} is not set`)
    return password
  }
  return hasTerminal() ? askNewPassword() : undefined
}

/** Editors and `echo` end a file with a line break that is no part of the secret. */
const withoutLastBreak = (text: string) => text.replace(/\r?\n$/, '')
