import { EJSON } from 'bson'
import type { Context } from 'koa'
import { AppRefused, badRequest } from '#src/domain/apps/failures.ts'
import { readBody } from '../kit/body.ts'

/** Of a function call, whose arguments are documents. */
const bodyBytes = 4 * 1024 * 1024
const mostDepth = 100

/** The object that a request's body is, in Extended JSON with its BSON types; `{}` without a body. @throws AppRefused, BodyTooLarge */
export async function readEjson(ctx: Context, { relaxed = true } = {}): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await readBody(ctx, bodyBytes)
  if (bytes.length === 0) return {}
  const value = parseEjson(bytes.toString('utf8'), { relaxed })
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badRequest('the body must be a JSON object')
  return value as Readonly<Record<string, unknown>>
}

/** With `relaxed`, numbers are JavaScript's; otherwise they have their BSON types. @throws AppRefused */
export function parseEjson(text: string, { relaxed }: { readonly relaxed: boolean }): unknown {
  try {
    const value: unknown = JSON.parse(text)
    assertShallow(value, 0)
    return EJSON.deserialize(value as Record<string, unknown>, { relaxed })
  } catch (error) {
    if (error instanceof AppRefused) throw error
    throw badRequest(`the body is not Extended JSON: ${(error as Error).message}`)
  }
}

/** Canonical Extended JSON, which keeps every type. */
export const writeEjson = (value: unknown): string => (value === undefined ? 'null' : EJSON.stringify(value, { relaxed: false }))

function assertShallow(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return
  if (depth > mostDepth) throw badRequest(`the body is nested more than ${mostDepth} levels deep`)
  for (const each of Object.values(value)) assertShallow(each, depth + 1)
}
