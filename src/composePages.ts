/** Compose, our own pages: console, account and playground, as applications of the server that they are part of. */
import type { RequestListener } from 'node:http'
import { createOwnPages } from '#src/connectors/ownPages.ts'
import { type PageArea, withBuiltIn } from '#src/domain/applications/builtIn.ts'
import type { Managing } from '#src/domain/applications/managing.ts'
import type { VerifyBearer } from '#src/domain/sessions/bearer.ts'
import type { Sessions } from '#src/domain/sessions/session.ts'
import type { CustomDataEditing } from '#src/domain/userdata/editing.ts'
import type { PreviewClaims } from '#src/engine/preview.ts'
import { consoleEndpoints } from '#src/http/console/console.ts'
import type { AreaKit } from '#src/http/kit/area.ts'
import type { Csrf } from '#src/http/kit/csrf.ts'
import type { Endpoint } from '#src/http/kit/endpoint.ts'
import { createPageSessions } from '#src/http/kit/pageSessions.ts'
import type { Pages } from '#src/http/kit/pages.ts'
import type { Configuration } from '#src/platform/config.ts'
import type { Domain } from './composeDomain.ts'

export interface PagesParts {
  readonly configuration: Configuration
  readonly domain: Domain
  readonly pages: Pages
  readonly csrf: Csrf
  readonly managing: Managing
  readonly verifyBearer: VerifyBearer
  readonly sessions: Sessions
  readonly previewClaims: PreviewClaims
  readonly customData: CustomDataEditing
  readonly ownProjectId: string
  /** Answers a request as the server does. */
  readonly listener: () => RequestListener
}

/** How long a browser may rest, and how long it may go on, in seconds. Whoever manages others is asked sooner. */
const lifetimes: Readonly<Record<PageArea, { readonly idleSeconds: number; readonly longestSeconds: number }>> = {
  console: { idleSeconds: 900, longestSeconds: 8 * 3600 },
  account: { idleSeconds: 3600, longestSeconds: 24 * 3600 },
  playground: { idleSeconds: 3600, longestSeconds: 24 * 3600 },
}

/** The addresses of our own pages. */
export function composePages(parts: PagesParts): readonly Endpoint[] {
  const { configuration, domain, pages, csrf, managing, verifyBearer, ownProjectId, listener } = parts
  const { sealer, now, users, browsing, grants, apps, stores, metadata, recorder, actions } = domain
  const issuer = configuration.DOSSIER_ISSUER
  const catalogue = withBuiltIn(domain.catalogue, issuer)
  const kit: AreaKit = { issuer, pages, csrf, heldBy: managing.heldBy, now, login: createOwnPages({ issuer, listener }) }
  const sessionsOf = (area: PageArea) =>
    createPageSessions({
      area,
      secure: issuer.startsWith('https:'),
      seal: sealer.seal,
      open: sealer.open,
      verifyBearer,
      ownProjectId: () => ownProjectId,
      ...lifetimes[area],
      now,
    })
  return [
    ...consoleEndpoints(kit, {
      pageSessions: sessionsOf('console'),
      maxAgeSeconds: lifetimes.console.idleSeconds,
      catalogue,
      users,
      browsing,
      grants,
      managing,
      sessions: parts.sessions,
      apps,
      audit: stores.audit,
      now,
      metadata,
      recorder,
      customData: parts.customData,
      previewClaims: parts.previewClaims,
      isAddedTo: async () => (await actions.list()).executions.some(({ condition }) => condition.startsWith('function/')),
    }),
  ]
}
