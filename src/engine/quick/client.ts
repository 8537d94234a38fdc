import type { Context } from 'koa'
import type { ApplicationView, Catalogue } from '#src/domain/applications/catalogue.ts'
import { isUsualClient } from '#src/domain/applications/protocol.ts'
import { secretMatches } from '#src/domain/users/secrets.ts'
import type { Form } from './form.ts'

/**
 * The application that a request of the usual kind proves to come from: by its secret in the header or the form (RFC 6749, section 2.3.1), or,
 * for a public one, by naming itself. `undefined` for everything else, failures included: they are the engine's to judge.
 */
export async function authenticated(ctx: Context, form: Form, catalogue: Catalogue): Promise<ApplicationView | undefined> {
  const { headers } = ctx.req
  // Proofs that bind to a key, and a browser that wants to be told its origin is allowed.
  if (headers.dpop !== undefined || headers.origin !== undefined || headers['oauth-client-attestation'] !== undefined) return undefined
  const credentials = headers.authorization === undefined ? inForm(form) : inHeader(headers.authorization, form)
  if (!credentials) return undefined
  const view = await catalogue.find(credentials.id)
  if (!view?.application.active || !isUsualClient(view.application)) return undefined
  const { authMethod, clientSecretHash } = view.application
  if (credentials.secret === undefined) return authMethod === 'none' ? view : undefined
  const takesSecret = authMethod === 'basic' || authMethod === 'post'
  return takesSecret && clientSecretHash !== undefined && secretMatches(credentials.secret, clientSecretHash) ? view : undefined
}

interface Credentials {
  readonly id: string
  readonly secret?: string
}

const inForm = ({ client_id: id, client_secret: secret }: Form): Credentials | undefined =>
  id ? { id, ...(secret !== undefined && { secret }) } : undefined

/** Characters that stand for themselves whether the client has form-encoded its credentials or not. */
const plain = /^([\w.~-]+):([\w.~-]+)$/

function inHeader(header: string, form: Form): Credentials | undefined {
  if (!header.startsWith('Basic ') || form.client_secret !== undefined) return undefined
  const [, id, secret] = plain.exec(Buffer.from(header.slice('Basic '.length), 'base64').toString('latin1')) ?? []
  if (id === undefined || secret === undefined || (form.client_id !== undefined && form.client_id !== id)) return undefined
  return { id, secret }
}
