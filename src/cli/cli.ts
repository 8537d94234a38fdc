/**
 * The command line: one command a file. Commands that write talk to the store directly, so they work while the server is stopped and beside
 * a running one. Answers go to stdout, remarks and errors to stderr; the exit status is 0, 1 for a failure, 2 for wrong usage and 78 for a
 * configuration that cannot be used.
 */
import { parseArgs } from 'node:util'
import { DomainError } from '#src/base/errors.ts'
import { ConfigurationFaults } from '#src/platform/config.ts'
import { type Command, type CommandOption, type Invocation, WrongUsage } from './command.ts'

/** Commands by name, each loaded when it is called: `dossier --help` must not wait for the server's modules. */
const commands: Readonly<Record<string, { summary: string; load: () => Promise<Command> }>> = {
  serve: { summary: 'Run the server', load: async () => (await import('./serve.ts')).serveCommand },
}

const common = {
  help: { type: 'boolean', short: 'h', help: 'Show this help' },
  json: { type: 'boolean', help: 'Answer with one JSON document' },
} as const satisfies Record<string, CommandOption>

process.exitCode = await main(process.argv.slice(2))

async function main(words: readonly string[]): Promise<number> {
  const name = nameOf(words)
  if (name === undefined) {
    const asked = words.length === 0 || words[0] === '--help' || words[0] === '-h'
    const print = asked ? console.log : console.error
    if (!asked) print(`dossier: there is no command ${JSON.stringify(words[0])}\n`)
    print(overview())
    return asked ? 0 : 2
  }
  const command = await (commands[name] as (typeof commands)[string]).load()
  return run(command, words.slice(name.split(' ').length))
}

/** The longest name of a command that the words begin with. */
function nameOf(words: readonly string[]): string | undefined {
  return [2, 1].map((length) => words.slice(0, length).join(' ')).find((name) => Object.hasOwn(commands, name))
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
    return 0
  } catch (error) {
    return complain(command, error)
  }
}

function parse(command: Command, words: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries({ ...common, ...command.options }).map(([name, { help: _help, value: _value, ...option }]) => [name, option]),
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
  if (error instanceof ConfigurationFaults) {
    console.error(error.message)
    return 78
  }
  console.error(error instanceof DomainError ? `dossier ${command.name}: ${error.message}` : error)
  return 1
}

const overview = () =>
  [
    'Dossier, an OpenID Connect identity provider',
    '',
    'usage: dossier COMMAND [--help]',
    '',
    ...columns(Object.entries(commands).map(([name, { summary }]) => [name, summary])),
  ].join('\n')

const usageOf = (command: Command) => `usage: dossier ${[command.name, command.operands, '[options]'].filter(Boolean).join(' ')}`

function helpOf(command: Command): string {
  const options = Object.entries({ ...command.options, ...common }).map(([name, option]): [string, string] => [
    `--${name}${option.type === 'string' ? ` ${option.value ?? 'VALUE'}` : ''}`,
    option.help,
  ])
  return [usageOf(command), '', command.summary, '', ...columns(options)].join('\n')
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`)
}
