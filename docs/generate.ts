/** `npm run docs`: writes docs/configuration.md from the schema of the environment. `test/house/docs.test.ts` fails when it was forgotten. */
import { writeFileSync } from 'node:fs'
import { configurationPage } from './configuration.ts'

writeFileSync(new URL('configuration.md', import.meta.url), configurationPage())
