/** What a scope lets an application see, in a person's words. A scope that changes nothing for the person has none. */
const sentences: Readonly<Record<string, string>> = {
  profile: 'Your name and profile',
  email: 'Your e-mail address',
  phone: 'Your telephone number',
  address: 'Your postal address',
  offline_access: 'Access while you are not using the application',
  'urn:zitadel:iam:user:metadata': 'All metadata that is kept about you',
  custom_data: 'What the application keeps about you',
  user_metadata: 'What other services have told about you',
  'urn:zitadel:iam:user:resourceowner': 'The organization that you belong to',
  'urn:zitadel:iam:org:projects:roles': 'Your roles in other projects',
}

/** One line for each scope that concerns the person, in the order asked, none twice. */
export function describeScopes(scopes: readonly string[]): readonly string[] {
  const lines = scopes.map((scope) => {
    if (scope.startsWith('urn:zitadel:iam:org:project:role:')) return 'Your roles in this project'
    if (scope.endsWith(':aud')) return 'Acting for you at another service'
    return Object.hasOwn(sentences, scope) ? sentences[scope] : undefined
  })
  return [...new Set(lines.filter((line) => line !== undefined))]
}

/** One line for each claim that was asked for by name. */
export const describeClaims = (claims: readonly string[]): readonly string[] => claims.map((claim) => `Your ${claim.replaceAll('_', ' ')}`)
