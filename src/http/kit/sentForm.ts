import { Busboy, type BusboyConfig } from '@fastify/busboy'
import type { Context } from 'koa'
import { BodyTooLarge, BodyUnsupported, bodyLimitBytes, readBody } from './body.ts'

/** A file that came with a form. */
interface SentFile {
  readonly name: string
  readonly bytes: Buffer
}

/** What a person sent. A field that is not there reads as empty text. */
export interface SentForm {
  /** The first value of a field, as it was typed. */
  raw(name: string): string
  /** The same without blanks around it. */
  text(name: string): string
  has(name: string): boolean
  /** Every value of a field, as of boxes that were ticked. */
  all(name: string): readonly string[]
  /** The file of a field; `undefined` when none was chosen. */
  file(name: string): SentFile | undefined
}

/**
 * The form in the body of a request, with files or without.
 * @throws BodyTooLarge over `limitBytes` together, BodyUnsupported
 */
export async function readSentForm(ctx: Context, limitBytes = bodyLimitBytes): Promise<SentForm> {
  if (ctx.is('multipart/form-data')) return readParts(ctx, limitBytes)
  if (!ctx.is('application/x-www-form-urlencoded')) throw new BodyUnsupported('application/x-www-form-urlencoded or multipart/form-data')
  const body = await readBody(ctx, limitBytes)
  return formOf([...new URLSearchParams(body.toString('utf8'))], [])
}

function formOf(fields: readonly (readonly [string, string])[], files: readonly (readonly [string, SentFile])[]): SentForm {
  const raw = (name: string) => fields.find(([each]) => each === name)?.[1] ?? ''
  return {
    raw,
    text: (name) => raw(name).trim(),
    has: (name) => fields.some(([each]) => each === name),
    all: (name) => fields.filter(([each]) => each === name).map(([, value]) => value),
    file: (name) => files.find(([each]) => each === name)?.[1],
  }
}

const mostParts = 2000
const wholeParts = 'multipart/form-data that is whole'

async function readParts(ctx: Context, limitBytes: number): Promise<SentForm> {
  const body = await readBody(ctx, limitBytes)
  const fields: [string, string][] = []
  const files: [string, SentFile][] = []
  const limits = { fieldSize: limitBytes, fileSize: limitBytes, parts: mostParts }
  await new Promise<void>((resolve, reject) => {
    const parser = parserOf(ctx.get('content-type'), limits)
    parser.on('field', (name, value) => fields.push([name, value]))
    parser.on('file', (field, stream, name) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const bytes = Buffer.concat(chunks)
        // A browser sends a field without a name where nothing was chosen.
        if (name || bytes.length > 0) files.push([field, { name: name ?? '', bytes }])
      })
    })
    parser.on('partsLimit', () => reject(new BodyTooLarge(limitBytes)))
    parser.on('error', () => reject(new BodyUnsupported(wholeParts)))
    parser.on('finish', resolve)
    parser.end(body)
  })
  return formOf(fields, files)
}

/** @throws BodyUnsupported when the type does not say what parts the parts */
function parserOf(type: string, limits: BusboyConfig['limits']) {
  try {
    return new Busboy({ headers: { 'content-type': type }, limits })
  } catch {
    throw new BodyUnsupported(wholeParts)
  }
}
