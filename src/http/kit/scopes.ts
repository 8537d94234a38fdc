import type { Texts } from './messages.ts'

const texts: Readonly<Record<string, string>> = {
  profile: 'profile',
  email: 'email',
  phone: 'phone',
  address: 'address',
  offline_access: 'offline_access',
  'urn:zitadel:iam:user:metadata': 'metadata',
  custom_data: 'custom_data',
  user_metadata: 'user_metadata',
  'urn:zitadel:iam:user:resourceowner': 'resourceOwner',
  'urn:zitadel:iam:org:projects:roles': 'rolesInOthers',
}

/** Whom a token is meant for beside its application. */
const audience = /^urn:zitadel:iam:org:project:id:(.+):aud$/

function textOf(scope: string, ownProjectId: string): string | undefined {
  const [, project] = audience.exec(scope) ?? []
  if (project === 'zitadel' || project === ownProjectId) return 'managing'

  if (scope.startsWith('urn:zitadel:iam:org:project:role:')) return 'roles'
  if (project !== undefined) return 'actingForYou'
  return Object.hasOwn(texts, scope) ? texts[scope] : undefined
}

/**
 * What an application may see and do, in a person's words: a line for each scope that concerns them, in the order asked, none twice, and one for each claim that was asked for by
 * name. A scope that changes nothing for the person has none.
 */
export function describeAccess(
  { t }: Pick<Texts, 't'>,
  {
    scopes,
    claims = [],
    ownProjectId,
  }: {
    readonly scopes: readonly string[]
    readonly claims?: readonly string[]
    /** The project that stands for Dossier itself. */
    readonly ownProjectId: string
  },
): readonly string[] {
  const named = scopes.map((scope) => textOf(scope, ownProjectId)).filter((text) => text !== undefined)
  const lines = [...new Set(named)].map((text) => t(`interactions.scope.${text}`))
  return [...lines, ...claims.map((claim) => t('interactions.scope.claim', { claim: claim.replaceAll('_', ' ') }))]
}
