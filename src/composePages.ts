/** Compose, our own pages: console, account and playground, as applications of the server that they are part of. */
import type { RequestListener } from 'node:http'
import { createOwnPages, fetchWithin } from '#src/connectors/ownPages.ts'
import { type PageArea, pageLifetimes } from '#src/domain/applications/builtIn.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { Managing } from '#src/domain/applications/managing.ts'
import type { KnownByApps } from '#src/domain/apps/known.ts'
import type { PageLogins } from '#src/domain/apps/pageLogins.ts'
import type { Accesses } from '#src/domain/sessions/access.ts'
import type { VerifyBearer } from '#src/domain/sessions/bearer.ts'
import type { Sessions } from '#src/domain/sessions/session.ts'
import type { CustomDataEditing } from '#src/domain/userdata/editing.ts'
import type { PreviewClaims } from '#src/engine/preview.ts'
import { findSyntaxFault } from '#src/functions/syntax.ts'
import { accountEndpoints } from '#src/http/account/account.ts'
import { sessionsApi } from '#src/http/account/sessions.ts'
import { consoleEndpoints } from '#src/http/console/console.ts'
import type { AreaKit } from '#src/http/kit/area.ts'
import type { Csrf } from '#src/http/kit/csrf.ts'
import type { Endpoint } from '#src/http/kit/endpoint.ts'
import { createOnce } from '#src/http/kit/once.ts'
import { createPageSessions } from '#src/http/kit/pageSessions.ts'
import type { Pages } from '#src/http/kit/pages.ts'
import { playgroundEndpoints } from '#src/http/playground/playground.ts'
import type { Configuration } from '#src/platform/config.ts'
import type { Accounts } from './composeAccounts.ts'
import type { Domain } from './composeDomain.ts'

export interface PagesParts {
  readonly configuration: Configuration
  readonly domain: Domain
  readonly pages: Pages
  readonly csrf: Csrf
  /** With the program's own applications. */
  readonly catalogue: Catalogue
  readonly managing: Managing
  readonly verifyBearer: VerifyBearer
  readonly ownProjectId: string
  /** Of the program. */
  readonly version: string
  readonly accounts: Accounts
  readonly sessions: Sessions
  readonly accesses: Accesses
  readonly knownByApps: KnownByApps
  readonly previewClaims: PreviewClaims
  readonly customData: CustomDataEditing
  readonly pageLogins: PageLogins
  readonly newClientAppId: (name: string) => string
  /** Answers a request as the server does. */
  readonly listener: () => RequestListener
}

/** The addresses of our own pages. */
export function composePages(parts: PagesParts): readonly Endpoint[] {
  const { configuration, domain, pages, csrf, managing, verifyBearer, ownProjectId, accounts, listener } = parts
  const { sealer, now, users, stores, actions } = domain
  const issuer = configuration.DOSSIER_ISSUER
  const sealing = { secure: issuer.startsWith('https:'), seal: sealer.seal, open: sealer.open }
  const once = createOnce(stores.artifacts, now)
  const kit: AreaKit = { issuer, pages, csrf, once, heldBy: managing.heldBy, now, login: createOwnPages({ issuer, listener }) }
  const sessionsOf = (area: PageArea) =>
    createPageSessions({
      area,
      ...sealing,
      verifyBearer,
      ownProjectId: () => ownProjectId,
      ...pageLifetimes[area],
      now,
    })
  return [
    ...consoleEndpoints(kit, {
      sessions: sessionsOf('console'),
      maxAgeSeconds: pageLifetimes.console.idleSeconds,
      issuer,
      catalogue: parts.catalogue,
      projects: domain.projects,
      applications: domain.applications,
      provisioning: domain.provisioning,
      keys: domain.keys,
      trail: domain.trail,
      browsing: domain.browsing,
      signInStatistics: domain.signInStatistics,
      apps: domain.apps,
      triggerTasks: domain.triggerTasks,
      running: {
        version: parts.version,
        node: process.versions.node,
        store: domain.stores.description,
        issuer,
        sendsMail: configuration.DOSSIER_SMTP_URL !== undefined,
      },
      now,
      users,
      grants: domain.grants,
      managing,
      browsers: parts.sessions,
      accesses: parts.accesses,
      sendPasswordLink: accounts.passwordReset.send,
      audit: stores.audit,
      recorder: domain.recorder,
      metadata: domain.metadata,
      customData: parts.customData,
      previewClaims: parts.previewClaims,
      isAddedTo: async () => (await actions.list()).executions.some(({ condition }) => condition.startsWith('function/')),
      pageLogins: parts.pageLogins,
      newClientAppId: parts.newClientAppId,
      findSyntaxFault,
      triggerRuns: domain.triggerRuns,
      customDataKilobytes: configuration.DOSSIER_CUSTOM_DATA_KB,
    }),
    ...accountEndpoints(
      kit,
      {
        ...accounts,
        sessions: sessionsOf('account'),
        maxAgeSeconds: pageLifetimes.account.longestSeconds,
        pages,
        catalogue: parts.catalogue,
        users,
        audit: stores.audit,
        browsers: parts.sessions,
        accesses: parts.accesses,
        knownByApps: parts.knownByApps,
      },
      sessionsApi({ sessions: parts.sessions, verifyBearer, ownProjectId }),
    ),
    ...playgroundEndpoints(kit, {
      ...sealing,
      sessions: sessionsOf('playground'),
      maxAgeSeconds: pageLifetimes.playground.longestSeconds,
      issuer,
      send: fetchWithin({ issuer, listener }),
      now,
      catalogue: parts.catalogue,
      applications: domain.applications,
    }),
  ]
}
