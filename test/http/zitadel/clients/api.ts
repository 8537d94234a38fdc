import type { Transport } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-node'
import { NewAuthorizationBearerInterceptor } from '@zitadel/client'
import { createServerTransport } from '@zitadel/client/node'
import { createClientTransport } from '@zitadel/client/web'
import type { Idp } from '../../../support/idp.ts'

/** The ways in which ZITADEL's clients speak, each with a token. */
export const transports: readonly { readonly name: string; readonly open: (issuer: string, token: string) => Transport }[] = [
  { name: 'gRPC', open: (baseUrl, token) => createServerTransport(token, { baseUrl }) },
  { name: 'gRPC-web', open: (baseUrl, token) => createClientTransport(token, { baseUrl }) },
  {
    name: 'Connect with JSON',
    open: (baseUrl, token) =>
      createConnectTransport({ baseUrl, httpVersion: '1.1', interceptors: [NewAuthorizationBearerInterceptor(token)] }),
  },
  {
    name: 'Connect in binary over HTTP/2',
    open: (baseUrl, token) =>
      createConnectTransport({
        baseUrl,
        httpVersion: '2',
        useBinaryFormat: true,
        interceptors: [NewAuthorizationBearerInterceptor(token)],
      }),
  },
  // With a limit of time a call is no plain one any more, and Connect's library answers it.
  {
    name: 'gRPC with a limit of time',
    open: (baseUrl, token) => createServerTransport(token, { baseUrl, defaultTimeoutMs: 60_000 }),
  },
  {
    name: 'Connect with a limit of time',
    open: (baseUrl, token) =>
      createConnectTransport({
        baseUrl,
        httpVersion: '1.1',
        defaultTimeoutMs: 60_000,
        interceptors: [NewAuthorizationBearerInterceptor(token)],
      }),
  },
]

const system = { kind: 'system' } as const

/** A new machine user who holds `roles` of Dossier's own project, with a personal access token. */
export async function managerOf({ domain }: Idp, roles: readonly string[]): Promise<{ readonly id: string; readonly token: string }> {
  const { ownProjectId } = await domain.catalogue.root()
  const username = `manager-${Math.random().toString(36).slice(2)}`
  const { id } = await domain.users.create({ kind: 'machine', username, profile: {}, roles: { [ownProjectId]: roles } }, system)
  const { token } = await domain.users.createToken(id, { name: 'test' }, system)
  return { id, token }
}
