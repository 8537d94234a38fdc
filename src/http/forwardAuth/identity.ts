import { isUtf8 } from 'node:buffer'
import type { ApplicationView } from '#src/domain/applications/catalogue.ts'
import { heldIn } from '#src/domain/applications/heldRoles.ts'
import type { SignedIn } from '#src/engine/forwardAuth.ts'

/** A longer value is left out: proxies refuse replies whose headers are longer than they have room for. */
const longestValue = 4096

/** What an upstream is told of the user, as headers. None of them is there without a value. */
export function identityHeaders({ application, project }: ApplicationView, { user, metadata }: SignedIn): ReadonlyMap<string, string> {
  const headers = new Map([['X-Dossier-User', user.id as string]])
  const add = (name: string, value: string) => {
    if (value !== '' && value.length <= longestValue) headers.set(name, value)
  }
  const { email, emailVerified } = user.profile
  // Upstreams take an address for proof of who somebody is; one that was only claimed is none.
  if (email && emailVerified) add('X-Dossier-Email', headerText(email))
  add(
    'X-Dossier-Roles',
    heldIn(user, project)
      .map((role) => headerText(role).replaceAll(',', '%2C'))
      .join(','),
  )
  const values: Readonly<Record<string, string>> = metadata === undefined ? {} : JSON.parse(metadata)
  for (const [name, key] of metadataHeaders(application.forwardAuth?.metadata ?? [])) {
    const text = Object.hasOwn(values, key) ? textOf(values[key] as string) : undefined
    if (text !== undefined) add(name, headerText(text))
  }
  return headers
}

/** The key of each header. Of two keys that would share one, the first has it, even for users who lack that key. */
function metadataHeaders(keys: readonly string[]): Iterable<readonly [name: string, key: string]> {
  const headers = new Map<string, readonly [string, string]>()
  for (const key of keys) {
    const name = `X-Dossier-Metadata-${key.replace(/[^A-Za-z0-9-]/gu, '-')}`
    if (!headers.has(name.toLowerCase())) headers.set(name.toLowerCase(), [name, key])
  }
  return headers.values()
}

/** The text behind base64url; `undefined` for bytes that are none, and for what would be too long anyway. */
function textOf(encoded: string): string | undefined {
  if (encoded.length > longestValue * 2) return undefined
  const bytes = Buffer.from(encoded, 'base64url')
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined
}

/**
 * Text in the form in which a header carries it: everything beyond printable ASCII, `%` itself and a space at either end are percent-encoded as
 * UTF-8. `decodeURIComponent` gives the text back; no line break, and nothing that a proxy would strip, gets through.
 */
const headerText = (text: string) => text.toWellFormed().replace(/[^\x20-\x7e]+|%|^ | $/gu, encodeURIComponent)
