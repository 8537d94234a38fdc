import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { DomainError } from '#src/base/errors.ts'
import { type Invocation, WrongUsage } from './command.ts'

/** The person at the terminal changed their mind, or typed two passwords that differ. */
class NotConfirmed extends DomainError {
  readonly code = 'cli.not_confirmed'
}

/** Whether somebody can be asked. Questions go to stderr, so that stdout holds the answer only. */
export const hasTerminal = () => process.stdin.isTTY === true && process.stderr.isTTY === true

/** Lets something that cannot be undone go on: with `--yes`, or when the person at the terminal types yes. @throws WrongUsage, NotConfirmed */
export async function confirm({ options }: Invocation, what: string): Promise<void> {
  if (options.yes === true) return
  if (!hasTerminal()) throw new WrongUsage(`${what}: this cannot be undone; repeat it with --yes`)
  const lines = conversation(process.stderr)
  const answer = await lines.question(`${what}. This cannot be undone. Type yes to go on: `).finally(() => lines.close())
  if (answer.trim().toLowerCase() !== 'yes') throw new NotConfirmed('nothing was changed')
}

/** A new password, typed twice and not shown. @throws NotConfirmed when the two differ */
export async function askNewPassword(): Promise<string> {
  // One conversation for both questions, begun before the first: between two the terminal would show what is typed.
  const lines = conversation(new Writable({ write: (_chunk, _encoding, done) => done() }))
  const ask = async (question: string) => {
    process.stderr.write(question)
    const answer = await lines.question('')
    process.stderr.write('\n')
    return answer
  }
  try {
    const password = await ask('New password: ')
    if ((await ask('The same again: ')) !== password) throw new NotConfirmed('the two passwords differ; nothing was changed')
    return password
  } finally {
    lines.close()
  }
}

/** Questions to the person at the terminal, which shows in `output` what they type. */
function conversation(output: NodeJS.WritableStream) {
  const lines = createInterface({ input: process.stdin, output, terminal: true })
  lines.on('SIGINT', () => process.exit(130))
  return lines
}
