/**
 * Outgoing calls: keys of applications, back-channel logout. The engine refuses addresses of private networks, so that nobody can make us ask
 * what only we can reach (SSRF); the operator's list (`DOSSIER_OUTBOUND_ALLOW`) makes exceptions, by host name or by range.
 */
import { type LookupAddress, type LookupOptions, lookup } from 'node:dns'
import { BlockList, isIP } from 'node:net'
import { isSpecialUseIP } from './internals.ts'

type Fetch = typeof fetch
type Found = (error: Error | null, address?: string | LookupAddress[], family?: number) => void

/** How a call may be made that takes longer than the engine's own. */
export type WithTimeout = RequestInit & { readonly timeoutMs?: number }

interface Agent {
  new (options: { connect: { lookup: (host: string, options: LookupOptions, found: Found) => void } }): object
}

/** `fetch` as the engine calls it: with a dispatcher that refuses private addresses, which is kept unless the list says otherwise. */
export function createOutboundFetch(allow: readonly string[]): Fetch {
  const names = new Set(allow.filter((entry) => !isRange(entry)).map((entry) => entry.toLowerCase()))
  const ranges = new BlockList()
  for (const entry of allow.filter(isRange)) {
    const [address = '', bits] = entry.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    ranges.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family)
  }
  const inRange = (address: string) => ranges.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

  /** Resolves a name, and refuses it when one of its addresses is private and in no range: what is checked is what is connected to. */
  const guarded = (host: string, options: LookupOptions, found: Found) =>
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error) return found(error)
      if (addresses.some(({ address }) => isSpecialUseIP(address) && !inRange(address))) {
        return found(new Error('hostname resolves to a special-use IP address'))
      }
      const [first] = addresses
      return options.all ? found(null, addresses) : found(null, first?.address, first?.family)
    })

  let agent: object | undefined
  return (url, given) => {
    const { timeoutMs, ...options } = (given ?? {}) as WithTimeout
    // The engine's own limit is for what it asks for itself.
    if (timeoutMs !== undefined) options.signal = AbortSignal.timeout(timeoutMs)
    const { dispatcher, ...rest } = options as { dispatcher?: object }
    const host = new URL(String(url)).hostname.toLowerCase().replace(/^\[|\]$/g, '')
    if (names.has(host) || (isIP(host) && inRange(host))) return fetch(url, rest)
    if (!allow.some(isRange) || isIP(host) || !dispatcher) return fetch(url, options)
    agent ??= new (dispatcher.constructor as Agent)({ connect: { lookup: guarded } })
    return fetch(url, { ...rest, dispatcher: agent } as RequestInit)
  }
}

const isRange = (entry: string) => isIP(entry.split('/')[0] as string) !== 0

/** The text of a reply. @throws when it is longer than `most` bytes, before it is read to the end */
export async function readAtMost({ body }: Response, most: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    if (bytes > most) throw new Error(`it is longer than ${most} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
