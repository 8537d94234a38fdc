/** Home: `/` says in one page what this is and where to go. */
import type { Endpoint } from '../kit/endpoint.ts'
import type { Pages } from '../kit/pages.ts'

export function homeEndpoints({ pages, issuer }: { pages: Pages; issuer: string }): readonly Endpoint[] {
  return [{ method: 'GET', path: '/', handle: (ctx) => pages.show(ctx, 'home/home', { issuer }) }]
}
