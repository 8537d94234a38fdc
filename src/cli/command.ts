/** One command of `dossier`, one file each, or one file for the few commands of a noun. */
export interface Command {
  /** As typed: `user create`. */
  readonly name: string
  readonly summary: string
  /** What follows the name: `USER KEY [VALUE]`. */
  readonly operands: string
  readonly options: Readonly<Record<string, CommandOption>>
  /** It runs on, and has no answer that could be one JSON document. */
  readonly answersInWords?: true
  /** Does the work; what it answers is printed, as text for people or as one JSON document. */
  run(invocation: Invocation): Promise<Outcome | undefined>
}

export interface CommandOption {
  readonly type: 'boolean' | 'string'
  readonly short?: string
  readonly help: string
  /** What the help calls the value of a `string` option. */
  readonly value?: string
}

export interface Invocation {
  readonly operands: readonly string[]
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Progress and remarks, on stderr. */
  note(line: string): void
  /** Lines of the answer, on stdout, before `run` ends. */
  say(line: string): void
}

export interface Outcome {
  readonly json: unknown
  readonly text: readonly string[]
  /** The exit status, when it is not 0. */
  readonly status?: number
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

/** The value of a `string` option, where it was given. */
export const optionOf = ({ options }: Invocation, name: string): string | undefined => options[name] as string | undefined
