import type { ParseArgsConfig } from 'node:util'

/** One command of `dossier`, one file each. */
export interface Command {
  /** As typed: `user create`. */
  readonly name: string
  readonly summary: string
  /** What follows the name: `USER KEY [VALUE]`. */
  readonly operands: string
  readonly options: Readonly<Record<string, CommandOption>>
  /** Does the work; what it answers is printed, as text for people or as one JSON document. */
  run(invocation: Invocation): Promise<Outcome | undefined>
}

export type CommandOption = NonNullable<ParseArgsConfig['options']>[string] & { readonly help: string; readonly value?: string }

export interface Invocation {
  readonly operands: readonly string[]
  readonly options: Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Progress and remarks, on stderr. */
  note(line: string): void
  /** Lines of the answer, on stdout, before `run` ends. */
  say(line: string): void
}

export interface Outcome {
  readonly json: unknown
  readonly text: readonly string[]
}

/** The call's words are off: exit status 2. */
export class WrongUsage extends Error {}

/** The operands of a call, exactly as many as have names. @throws WrongUsage */
export function operandsOf<const N extends readonly string[]>(invocation: Invocation, ...names: N): { readonly [K in keyof N]: string } {
  const { operands } = invocation
  if (operands.length < names.length) throw new WrongUsage(`${names[operands.length]} is missing`)
  if (operands.length > names.length) throw new WrongUsage(`unexpected ${JSON.stringify(operands[names.length])}`)
  return operands as unknown as { readonly [K in keyof N]: string }
}
