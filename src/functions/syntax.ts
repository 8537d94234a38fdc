/** Whether a source compiles, as the thread of functions would have it, without running any of it. */
import { type Context, compileFunction } from 'node:vm'
import type { SyntaxFault } from '#src/domain/apps/functions.ts'

const parameters = ['context', 'exports', 'module', 'require', 'console']

/** What makes the exports of a source. @throws Error when it does not compile */
export const compileSource = (name: string, source: string, parsingContext?: Context) =>
  compileFunction(`${source}\n;return exports`, parameters, { filename: `functions/${name}.js`, ...(parsingContext && { parsingContext }) })

/** What is wrong with a source, with its place; `undefined` when it compiles. Nothing of it runs. */
export function findSyntaxFault(source: string): SyntaxFault | undefined {
  try {
    compileSource('source', source)
    return undefined
  } catch (error) {
    return placed(error, source)
  }
}

/** What an error of the compiler says, and where: its stack begins with the file and line, the line itself, and a mark below the place. */
export function placed(error: unknown, source: string): SyntaxFault {
  const { message, stack = '' } = error as Error
  const [first = '', , mark = ''] = stack.split('\n')
  const line = /\.js:(\d+)$/.exec(first)?.[1]
  if (line === undefined) return { message }
  const lines = source.split('\n')
  // It broke at what we put behind the source: something in it was not closed.
  if (Number(line) > lines.length)
    return { message: 'Unexpected end of input', line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
  const column = /^\s*\^/.test(mark) ? mark.indexOf('^') + 1 : undefined
  return { message, line: Number(line), ...(column !== undefined && { column }) }
}
