/**
 * Applications that are part of the program: its own pages sign people in like anybody's. They are in no store, so that nobody removes or breaks them, an export does not list them, and
 * their addresses follow the issuer.
 */
import type { Application, Settings } from './application.ts'
import type { ApplicationView, Catalogue } from './catalogue.ts'

const areas = { console: 'Console', account: 'Account', playground: 'Playground' } as const

/** A part of Dossier's own pages, under an address of the same name. */
export type PageArea = keyof typeof areas

/** How long a browser may rest on the pages of an area, and how long it may go on, in seconds. Whoever manages others is asked sooner. */
export const pageLifetimes: Readonly<Record<PageArea, { readonly idleSeconds: number; readonly longestSeconds: number }>> = {
  console: { idleSeconds: 900, longestSeconds: 8 * 3600 },
  account: { idleSeconds: 3600, longestSeconds: 24 * 3600 },
  playground: { idleSeconds: 3600, longestSeconds: 24 * 3600 },
}

export const clientIdOf = (area: PageArea) => `dossier-${area}`

/** The part of Dossier's own pages that a client id is of. */
export const areaOf = (clientId: string): PageArea | undefined =>
  (Object.keys(areas) as PageArea[]).find((area) => clientIdOf(area) === clientId)

/** Client ids that no other application may have. */
export const reservedClientIds: readonly string[] = (Object.keys(areas) as PageArea[]).map(clientIdOf)

/** Pages that keep their access token to themselves for as long as somebody is signed in; the playground shows what an application is given. */
const lastingTtl = new Map((['console', 'account'] as const).map((area) => [clientIdOf(area), pageLifetimes[area].longestSeconds]))

/** How long an access token for a user lasts, in seconds: as the settings say, for whatever application does not live in this process. */
export const accessTokenTtlOf = (clientId: string, { accessTokenTtlSeconds }: Pick<Settings, 'accessTokenTtlSeconds'>): number =>
  lastingTtl.get(clientId) ?? accessTokenTtlSeconds

/** Where the pages of an area get their answer. */
export const callbackOf = (area: PageArea, issuer: string) => `${issuer}/${area}/callback`

/** The time that the program's own applications are given as that of their making. */
const always = new Date(0)

const applicationOf = (area: PageArea, issuer: string, projectId: string): Application => ({
  id: clientIdOf(area),
  projectId,
  name: areas[area],
  clientId: clientIdOf(area),
  type: 'web',
  authMethod: 'none',
  redirectUris: [callbackOf(area, issuer), ...(area === 'playground' ? [`${issuer}/playground/answer`] : [])],
  postLogoutRedirectUris: [`${issuer}/`],
  grantTypes: area === 'playground' ? ['authorizationCode', 'refreshToken'] : ['authorizationCode'],
  responseTypes: ['code'],
  accessTokenType: 'bearer',
  idTokenUserinfoAssertion: area === 'playground',
  accessTokenRoleAssertion: false,
  idTokenRoleAssertion: false,
  requirePkce: true,
  idTokenSignedResponseAlg: 'ES256',
  firstParty: true,
  audience: 'project',
  clockSkewSeconds: 0,
  additionalOrigins: [],
  active: true,
  createdAt: always,
  changedAt: always,
})

/** A catalogue that finds the program's own applications too. */
export function withBuiltIn<C extends Pick<Catalogue, 'find' | 'root'>>(catalogue: C, issuer: string): C {
  const byClientId = new Map((Object.keys(areas) as PageArea[]).map((area) => [clientIdOf(area), area]))

  async function viewOf(area: PageArea): Promise<ApplicationView | undefined> {
    const { ownProjectId, projects } = await catalogue.root()
    const project = projects.get(ownProjectId)
    const application = applicationOf(area, issuer, ownProjectId)
    return project && { application, project, siblingClientIds: [application.clientId] }
  }

  return {
    ...catalogue,
    find(clientId: string) {
      const area = byClientId.get(clientId)
      return area === undefined ? catalogue.find(clientId) : viewOf(area)
    },
  }
}
