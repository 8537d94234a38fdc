import type { Faults, Path } from './faults.ts'

/** Where secrets come from that a configuration file only names. Each answers `undefined` when there is no such thing, or nothing in it. */
export interface SecretSources {
  environment(name: string): string | undefined
  /** The content of a file, its path relative to the configuration file's directory. */
  file(path: string): string | undefined
}

export type ReadSecret = (given: string | undefined, path: Path) => string | undefined

/** Resolves `env:NAME` and `file:PATH`; anything else is the secret itself. What cannot be read is added to `faults`. */
export function secretReader(sources: SecretSources, faults: Faults): ReadSecret {
  return (given, path) => {
    const [, kind, name = ''] = /^(env|file):(.*)$/s.exec(given ?? '') ?? []
    if (kind === undefined) return given
    const secret = kind === 'env' ? sources.environment(name) : sources.file(name)
    if (!secret) {
      faults.add(path, kind === 'env' ? `the environment variable ${name} is not set` : `the file ${name} cannot be read, or is empty`)
      return undefined
    }
    return secret
  }
}
