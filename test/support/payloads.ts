import { readFileSync } from 'node:fs'

/** Texts that would run as script, or break out of where they stand, on a page that does not escape them. */
export const payloads: readonly string[] = readFileSync(new URL('payloads.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter(Boolean)
