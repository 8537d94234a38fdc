/** An application as a form has it: fields are called as in the configuration file, lists have a line for each entry. */
import { formatDuration, parseDurationSeconds } from '#src/base/duration.ts'
import type { Application } from '#src/domain/applications/application.ts'
import type { ApplicationWish } from '#src/domain/applications/applications.ts'
import { ApplicationInvalid } from '#src/domain/applications/failures.ts'
import type { SentForm } from '../kit/sentForm.ts'
import { linesIn, optional } from './forms.ts'

export const grantTypes = ['authorizationCode', 'refreshToken', 'deviceCode', 'clientCredentials', 'implicit', 'tokenExchange'] as const
export const responseTypes = ['code', 'id_token', 'id_token token', 'code id_token', 'code token', 'code id_token token'] as const
export const authMethods = [
  'basic',
  'post',
  'none',
  'clientSecretJwt',
  'privateKeyJwt',
  'tlsClientAuth',
  'selfSignedTlsClientAuth',
] as const
export const signingAlgorithms = ['RS256', 'ES256', 'EdDSA', 'PS256'] as const

/** What may be chosen, where it is one of few; anything else is no choice of our form. @throws ApplicationInvalid */
function chosen<T extends string>(form: SentForm, name: string, allowed: readonly T[]): T {
  const value = form.text(name)
  const found = allowed.find((each) => each === value)
  if (found === undefined) throw new ApplicationInvalid(`${name}: must be one of ${allowed.join(', ')}`)
  return found
}

/** @throws ApplicationInvalid */
function seconds(text: string): number {
  try {
    return parseDurationSeconds(text || '0s')
  } catch (cause) {
    throw Object.assign(new ApplicationInvalid('clockSkew: must be a duration such as 0s or 5s'), { cause })
  }
}

/** What a form says of an application; what it does not name stays. @throws ApplicationInvalid */
export function wishIn(form: SentForm, { type }: Pick<Application, 'type'>): Partial<ApplicationWish> {
  const common = {
    name: form.text('name'),
    authMethod: chosen(form, 'authMethod', authMethods),
  }
  if (type === 'api') return common
  return {
    ...common,
    redirectUris: linesIn(form.raw('redirectUris')),
    postLogoutRedirectUris: linesIn(form.raw('postLogoutRedirectUris')),
    grantTypes: grantTypes.filter((each) => form.all('grantTypes').includes(each)),
    responseTypes: responseTypes.filter((each) => form.all('responseTypes').includes(each)),
    accessTokenType: chosen(form, 'accessTokenType', ['bearer', 'jwt'] as const),
    idTokenUserinfoAssertion: form.has('idTokenUserinfoAssertion'),
    accessTokenRoleAssertion: form.has('accessTokenRoleAssertion'),
    idTokenRoleAssertion: form.has('idTokenRoleAssertion'),
    requirePkce: form.has('requirePkce'),
    firstParty: form.has('firstParty'),
    devMode: form.has('devMode') || undefined,
    audience: chosen(form, 'audience', ['project', 'client'] as const),
    idTokenSignedResponseAlg: chosen(form, 'idTokenSignedResponseAlg', signingAlgorithms),
    clockSkewSeconds: seconds(form.text('clockSkew')),
    additionalOrigins: linesIn(form.raw('additionalOrigins')),
    backChannelLogoutUri: optional(form.text('backChannelLogoutUri')),
    logoUri: optional(form.text('logoUri')),
    policyUri: optional(form.text('policyUri')),
    tosUri: optional(form.text('tosUri')),
  }
}

/** The fields of a form, of an application as it is or as somebody typed it. */
export interface Shown {
  value(name: string): string
  isOn(name: string, value?: string): boolean
}

/** An application as the form shows it. */
export function shownOf(application: Application): Shown {
  const fields = new Map<string, unknown>(Object.entries(application))
  const texts: Readonly<Record<string, string>> = { clockSkew: formatDuration(application.clockSkewSeconds) }
  return {
    value(name) {
      const value = fields.get(name)
      return texts[name] ?? (Array.isArray(value) ? value.join('\n') : typeof value === 'string' ? value : '')
    },
    isOn(name, value) {
      const field = fields.get(name)
      return value === undefined ? field === true : Array.isArray(field) && field.includes(value)
    },
  }
}

/** What somebody typed, as the form shows it again. */
export const typedIn = (form: SentForm): Shown => ({
  value: (name) => form.raw(name),
  isOn: (name, value) => (value === undefined ? form.has(name) : form.all(name).includes(value)),
})

/** What is wrong by the field that it is about; what is about no field of ours stands under the empty name. */
export function faultsByField(error: ApplicationInvalid): Readonly<Record<string, string>> {
  const faults: Record<string, string> = {}
  for (const fault of error.faults) {
    const [, field = '', reason = fault] = /^(\w+)[^:]*: (.+)$/s.exec(fault) ?? []
    const name = field === 'clockSkewSeconds' ? 'clockSkew' : field
    faults[name] = faults[name] === undefined ? reason : `${faults[name]}; ${reason}`
  }
  return faults
}
