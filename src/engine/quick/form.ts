import { type ParsedUrlQuery, parse } from 'node:querystring'
import type { Context } from 'koa'
import type { StepState } from '../steps.ts'

/** The fields of a form, each there once. */
export type Form = Readonly<Partial<Record<string, string>>>

const usual = /^application\/x-www-form-urlencoded(?:; ?charset=utf-8)?$/i

/** The engine reads no longer ones, and refuses them in its own words. */
const longest = 56 * 1024

/**
 * The fields of a posted form; `undefined` when it is of an unusual kind, or has a field twice. What was read is left for the engine, which
 * would otherwise find the request empty.
 */
export async function readForm(ctx: Context): Promise<Form | undefined> {
  const { form: known } = ctx.state as StepState
  if (known !== undefined) return onceEach(parse(known))
  const { 'content-type': type, 'content-length': length } = ctx.req.headers
  if (type === undefined || !usual.test(type) || !(Number(length) <= longest)) return undefined
  const text = await readText(ctx)
  ;(ctx.state as StepState).form = text
  return onceEach(parse(text))
}

/** The fields, if none of them is there twice. */
export function onceEach(fields: ParsedUrlQuery): Form | undefined {
  for (const name in fields) if (typeof fields[name] !== 'string') return undefined
  return fields as Form
}

/** Node reads no more than the length that the request has told. */
function readText({ req }: Context): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    // Listeners, not `for await`: an iterator costs more than the parsing of what it reads.
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer).toString() : Buffer.concat(chunks).toString()))
    req.on('error', reject)
  })
}
