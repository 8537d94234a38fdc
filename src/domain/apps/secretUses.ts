import type { AppConfiguration } from './configuration.ts'

/** Who needs a secret: a provider by its type, or a value by its name. */
export interface SecretUse {
  readonly secret: string
  readonly kind: 'provider' | 'value'
  readonly by: string
}

/** The secrets that the files of an app name, each with who needs it. */
export function secretUsesOf({ providers, values }: AppConfiguration): readonly SecretUse[] {
  const ofProviders = [...providers].flatMap(([by, { secret_config: secrets }]) =>
    [...(secrets?.signingKeys ?? []), secrets?.clientSecret ?? ''].map((secret) => ({ secret, kind: 'provider', by }) as const),
  )
  const ofValues = [...values].flatMap(([by, { value, from_secret }]) =>
    from_secret && typeof value === 'string' ? [{ secret: value, kind: 'value', by } as const] : [],
  )
  return [...ofProviders, ...ofValues].filter(({ secret }) => secret !== '')
}
