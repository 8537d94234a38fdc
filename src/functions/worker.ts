/**
 * The thread in which functions run, one call at a time. Each app has a context of its own, made when it is first called and again when its functions change. What is in a
 * context gets texts from outside and nothing else.
 */
import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Context, createContext, runInContext } from 'node:vm'
import { parentPort } from 'node:worker_threads'
import type { FromWorker, ToWorker } from './messages.ts'
import { compileSource, placed } from './syntax.ts'

/** What `inside.js` makes. */
interface Inside {
  define(name: string, make: unknown, isSystem: boolean): void
  run(id: string, text: string): void
  answer(number: string, ok: boolean, text: string): void
  forget(): void
}

interface AppContext {
  readonly context: Context
  readonly inside: Inside
  /** Of functions that do not compile, by name. */
  readonly faults: ReadonlyMap<string, string>
}

const port = parentPort
if (!port) throw new TypeError('this is run in a thread')
const tell = (message: FromWorker) => port.postMessage(message)

/** The form for browsers stands beside the one that the package exports. */
const bundle = readFileSync(join(dirname(createRequire(import.meta.url).resolve('bson')), 'bson.bundle.js'), 'utf8')
const insideText = readFileSync(new URL('./inside.js', import.meta.url), 'utf8')

/** The contexts that were used last, by app and version of its functions. */
const contexts = new Map<string, AppContext>()
const mostContexts = 4

let current: { readonly id: string; readonly app: AppContext } | undefined
const timers = new Map<string, NodeJS.Timeout>()

function makeContext(functions: Extract<ToWorker, { kind: 'call' }>['functions']): AppContext {
  const context = createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false }, name: 'function' })
  // A declaration at the top of a script is not a property of the global object: nothing in a function finds it.
  const BSON = runInContext(`(() => {${bundle}\n;return BSON})()`, context, { filename: 'bson' })
  const inside = runInContext(insideText, context, { filename: 'inside.js' })(outside, BSON) as Inside
  const faults = new Map<string, string>()
  for (const { name, source, isSystem } of functions) {
    try {
      inside.define(name, compileSource(name, source, context), isSystem)
    } catch (error) {
      const { message, line } = placed(error, source)
      faults.set(name, line === undefined ? message : `${message} (line ${line})`)
    }
  }
  return { context, inside, faults }
}

/** What the inside may call. It never throws: an error of the outside is an object of the outside. */
const outside = Object.freeze({
  send(call: string, number: string, text: string): void {
    if (call === '') startTimer(number, text)
    else tell({ kind: 'ask', call, number, text })
  },
  log(call: string, level: string, name: string, text: string): void {
    tell({ kind: 'log', call, level: level === 'warn' || level === 'error' ? level : 'info', name, text: text.slice(0, 10_000) })
  },
  done(call: string, text: string): void {
    tell({ kind: 'done', call, text })
  },
  failed(call: string, text: string): void {
    tell({ kind: 'failed', call, text })
  },
  now(what: string, text: string): string {
    try {
      if (what === 'randomBytes') return randomBytes(Math.min(Number(text), 65_536)).toString('base64')
      if (what === 'randomUUID') return randomUUID()
      const [kind, algorithm, ...rest] = JSON.parse(text) as [string, string, ...string[]]
      const [body = '', encoding] = rest.slice(-2) as [string, 'hex' | 'base64' | 'base64url']
      const made = kind === 'hmac' ? createHmac(algorithm, rest[0] ?? '') : createHash(algorithm)
      return made.update(body).digest(encoding)
    } catch {
      return ''
    }
  },
})

function startTimer(number: string, text: string): void {
  const { milliseconds } = JSON.parse(text) as { milliseconds: number }
  const app = current?.app
  const timer = setTimeout(
    () => {
      timers.delete(number)
      app?.inside.answer(number, true, '')
    },
    Math.min(Math.max(milliseconds, 0), 300_000),
  )
  timers.set(number, timer)
}

function call({ id, app, functions, name, text }: Extract<ToWorker, { kind: 'call' }>): void {
  for (const timer of timers.values()) clearTimeout(timer)
  timers.clear()
  current?.app.inside.forget()
  let known = contexts.get(app)
  if (known) contexts.delete(app)
  else known = makeContext(functions)
  contexts.set(app, known)
  if (contexts.size > mostContexts) contexts.delete(contexts.keys().next().value as string)
  current = { id, app: known }
  const fault = known.faults.get(name)
  if (fault !== undefined) tell({ kind: 'failed', call: id, text: JSON.stringify(['FunctionSyntaxError', fault, '']) })
  else known.inside.run(id, text)
}

port.on('message', (message: ToWorker) => {
  if (message.kind === 'call') call(message)
  else if (message.call === current?.id) current.app.inside.answer(message.number, message.ok, message.text)
})
