/**
 * The command line: one command a file. Commands that write talk to the store directly, so they work while the server is stopped and beside
 * a running one. Answers go to stdout, remarks and errors to stderr; the exit status is 0, 1 for a failure, 2 for wrong usage and 78 for a
 * configuration that cannot be used.
 */

import { parseArgs } from 'node:util'
import { DomainError } from '#src/base/errors.ts'
import { FileFaults } from '#src/domain/provisioning/faults.ts'
import { ConfigurationFaults } from '#src/platform/config.ts'
import { readVersion } from '#src/platform/version.ts'
import { type Command, type CommandOption, type Invocation, WrongUsage } from './command.ts'

/** Commands by name, each loaded when it is called: `dossier --help` must not wait for the server's modules. */
const commands: Readonly<Record<string, { summary: string; load: () => Promise<Command> }>> = {
  serve: { summary: 'Run the server', load: async () => (await import('./serve.ts')).serveCommand },
  apply: { summary: 'Make the store what a configuration file says', load: async () => (await import('./apply.ts')).applyCommand },
  export: { summary: 'Write a configuration file of what is stored', load: async () => (await import('./export.ts')).exportCommand },
  'user list': { summary: 'All users', load: async () => (await import('./user.ts')).userListCommand },
  'user get': { summary: 'One user with metadata', load: async () => (await import('./user.ts')).userGetCommand },
  'user create': { summary: 'A new user', load: async () => (await import('./userCreate.ts')).userCreateCommand },
  'user set-password': { summary: 'A new password', load: async () => (await import('./userCreate.ts')).userSetPasswordCommand },
  'user deactivate': { summary: 'Shut a user out', load: async () => (await import('./userState.ts')).userDeactivateCommand },
  'user reactivate': {
    summary: 'Let a deactivated user in again',
    load: async () => (await import('./userState.ts')).userReactivateCommand,
  },
  'user unlock': { summary: 'Let a locked user in again', load: async () => (await import('./userState.ts')).userUnlockCommand },
  'user remove': { summary: 'Remove a user for good', load: async () => (await import('./userState.ts')).userRemoveCommand },
  'user key create': { summary: 'A key file for a service account', load: async () => (await import('./userKey.ts')).userKeyCreateCommand },
  'user key list': { summary: 'The keys of a service account', load: async () => (await import('./userKey.ts')).userKeyListCommand },
  'user key remove': { summary: 'Make a key file worthless', load: async () => (await import('./userKey.ts')).userKeyRemoveCommand },
  'metadata list': { summary: 'All metadata of a user', load: async () => (await import('./metadata.ts')).metadataListCommand },
  'metadata get': { summary: 'One value', load: async () => (await import('./metadata.ts')).metadataGetCommand },
  'metadata set': { summary: 'Set one value', load: async () => (await import('./metadata.ts')).metadataSetCommand },
  'metadata remove': { summary: 'Remove one value', load: async () => (await import('./metadata.ts')).metadataRemoveCommand },
  'token create': { summary: 'A new personal access token', load: async () => (await import('./token.ts')).tokenCreateCommand },
  'token list': { summary: 'The tokens of a user', load: async () => (await import('./token.ts')).tokenListCommand },
  'token revoke': { summary: 'End a token', load: async () => (await import('./token.ts')).tokenRevokeCommand },
  'registration-token create': {
    summary: 'Let an application register itself',
    load: async () => (await import('./registrationToken.ts')).registrationTokenCreateCommand,
  },
  'registration-token list': {
    summary: 'The registration tokens that still work',
    load: async () => (await import('./registrationToken.ts')).registrationTokenListCommand,
  },
  'registration-token revoke': {
    summary: 'End a registration token',
    load: async () => (await import('./registrationToken.ts')).registrationTokenRevokeCommand,
  },
  'app-services push': {
    summary: 'Make an App Services app what its folder says',
    load: async () => (await import('./appServices.ts')).appServicesPushCommand,
  },
  'app-services pull': {
    summary: "Write an App Services app's folder",
    load: async () => (await import('./appServices.ts')).appServicesPullCommand,
  },
  'app-services list': { summary: 'All App Services apps', load: async () => (await import('./appServices.ts')).appServicesListCommand },
  'app-services secret': {
    summary: 'Give a secret of an app its value',
    load: async () => (await import('./appServices.ts')).appServicesSecretCommand,
  },
  'app-services triggers': {
    summary: 'The triggers of an app, with what was given up',
    load: async () => (await import('./appServices.ts')).appServicesTriggersCommand,
  },
  'keys list': { summary: 'Signing keys and what they are now', load: async () => (await import('./keys.ts')).keysListCommand },
  'keys rotate': { summary: 'Make successors to the signing keys', load: async () => (await import('./keys.ts')).keysRotateCommand },
  'keys retire': { summary: 'Take a former key away at once', load: async () => (await import('./keys.ts')).keysRetireCommand },
  'config check': {
    summary: 'Look whether the server could start',
    load: async () => (await import('./configCheck.ts')).configCheckCommand,
  },
}

const help: CommandOption = { type: 'boolean', short: 'h', help: 'Show this help' }
const json: CommandOption = { type: 'boolean', help: 'Answer with one JSON document' }

/** What a command takes, with what all take. */
const optionsOf = ({ options, answersInWords }: Command): Readonly<Record<string, CommandOption>> => ({
  ...options,
  help,
  ...(!answersInWords && { json }),
})

async function main(words: readonly string[]): Promise<number> {
  if (words[0] === '--version' || words[0] === '-v') return tellVersion()
  const name = nameOf(words)
  if (name === undefined) return guide(words)
  const command = await (commands[name] as (typeof commands)[string]).load()
  return run(command, words.slice(name.split(' ').length))
}

function tellVersion(): number {
  console.log(readVersion())
  return 0
}

/** The longest name of a command that the words begin with. */
function nameOf(words: readonly string[]): string | undefined {
  return [3, 2, 1].map((length) => words.slice(0, length).join(' ')).find((name) => Object.hasOwn(commands, name))
}

/** Lists the commands, those of one noun when it was typed. Asking for that is no failure. */
function guide([noun = '--help', verb]: readonly string[]): number {
  const ofNoun = Object.keys(commands).filter((name) => name.startsWith(`${noun} `))
  const isQuestion = (word: string | undefined) => word === '--help' || word === '-h'
  if (ofNoun.length === 0) {
    if (isQuestion(noun)) console.log(overview(Object.keys(commands)))
    else console.error(`dossier: there is no command ${JSON.stringify(noun)}\n\n${overview(Object.keys(commands))}`)
    return isQuestion(noun) ? 0 : 2
  }
  if (isQuestion(verb)) console.log(overview(ofNoun))
  else {
    const reason = verb === undefined ? `${noun} needs to know what to do` : `there is no command ${JSON.stringify(`${noun} ${verb}`)}`
    console.error(`dossier: ${reason}\n\n${overview(ofNoun)}`)
  }
  return isQuestion(verb) ? 0 : 2
}

async function run(command: Command, words: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parse(command, words)
    if (values.help) {
      console.log(helpOf(command))
      return 0
    }
    const invocation: Invocation = {
      operands: positionals,
      options: values as Invocation['options'],
      environment: process.env,
      note: (line) => console.error(line),
      say: (line) => console.log(line),
    }
    const outcome = await command.run(invocation)
    if (outcome) console.log(values.json ? JSON.stringify(outcome.json) : outcome.text.join('\n'))
    return outcome?.status ?? 0
  } catch (error) {
    return complain(command, error)
  }
}

function parse(command: Command, words: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(optionsOf(command)).map(([name, { type, short }]) => [name, short ? { type, short } : { type }]),
  )
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true })
  } catch (error) {
    throw new WrongUsage((error as Error).message)
  }
}

function complain(command: Command, error: unknown): number {
  if (error instanceof WrongUsage) {
    console.error(`dossier ${command.name}: ${error.message}\n\n${usageOf(command)}`)
    return 2
  }
  if (error instanceof ConfigurationFaults || error instanceof FileFaults) {
    console.error(error.message)
    return error instanceof FileFaults ? 1 : 78
  }
  console.error(isExpected(error) ? `dossier ${command.name}: ${error.message}` : error)
  return 1
}

/** A failure that the operator can do something about, a file that is not there for example: its trace would tell them nothing. */
const isExpected = (error: unknown): error is Error =>
  error instanceof DomainError || (error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string')

const overview = (names: readonly string[]) =>
  [
    'Dossier, an OpenID Connect identity provider',
    '',
    'usage: dossier COMMAND [--help]',
    '',
    ...columns(names.map((name) => [name, commands[name]?.summary ?? ''])),
  ].join('\n')

const usageOf = (command: Command) => `usage: dossier ${[command.name, command.operands, '[options]'].filter(Boolean).join(' ')}`

function helpOf(command: Command): string {
  const options = Object.entries(optionsOf(command)).map(([name, option]): [string, string] => [
    `--${name}${option.type === 'string' ? ` ${option.value ?? 'VALUE'}` : ''}`,
    option.help,
  ])
  return [usageOf(command), '', command.summary, '', ...columns(options)].join('\n')
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`)
}

// Whoever reads our answer may stop reading: `dossier user list | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

process.exitCode = await main(process.argv.slice(2))
