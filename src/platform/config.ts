/**
 * Platform: what the process gets from its surroundings (configuration, log, shutdown). It imports only `base`.
 *
 * The configuration is one schema, read once; every fault is reported together. No other file looks at the environment.
 */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { z } from 'zod'

const text = z.string().min(1)

const issuer = z.string().transform((value, context) => {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) return fault(context, 'must be an http or https address', 'https://id.example.com')
  if (url.origin !== value)
    return fault(context, 'must be a bare origin: no path, no trailing slash, no default port, lower case', url.origin)
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    return fault(context, 'must use https unless the host is loopback', `https://${url.host}`)
  return value
})

const store = z.string().transform((value, context) => {
  if (/^sqlite:.+/.test(value)) return { kind: 'sqlite' as const, directory: value.slice('sqlite:'.length) }
  if (/^mongodb(\+srv)?:\/\/[^/]+\/[^/?]+/.test(value)) return { kind: 'mongodb' as const, url: value }
  return fault(context, 'must be sqlite:DIRECTORY or a mongodb:// or mongodb+srv:// URL with a database name', 'sqlite:./data')
})

const secrets = z.string().transform((value, context) => {
  const list = value.split(',').map((secret) => secret.trim())
  if (list.some((secret) => Buffer.byteLength(secret) < 32))
    return fault(context, 'each secret must have 32 bytes or more', 'the output of: openssl rand -base64 48')
  return list
})

const outboundEntries = z.string().transform((value, context) => {
  const entries = value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean)
  const wrong = entries.find((entry) => !isHostName(entry) && !isRange(entry))
  return wrong === undefined
    ? entries
    : fault(context, `${wrong} is neither a host name nor an address range`, 'intranet.example,10.0.0.0/8')
})

const isHostName = (text: string) =>
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(text) && !/^[\d.]+$/.test(text)

function isRange(text: string): boolean {
  const [address = '', bits, more] = text.split('/')
  const family = isIP(address)
  const most = family === 6 ? 128 : 32
  return family !== 0 && more === undefined && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most))
}

const wholeNumber = (most: number, example: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number, such as ${example}`)
    .transform(Number)
    .refine((value) => value <= most, `must be at most ${most}, such as ${example}`)

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** One field a variable; `.describe()` is its documentation, from which docs/configuration.md is generated. */
export const environmentSchema = z.object({
  DOSSIER_ISSUER: issuer
    .default('http://localhost:8080')
    .describe('The public origin: no path, no trailing slash. `https` is required unless the host is loopback.'),
  DOSSIER_HOST: text.default('localhost').describe('Where to listen. The image sets `0.0.0.0`.'),
  DOSSIER_PORT: wholeNumber(65_535, 8080).optional().describe("The port to listen on; the issuer's port when left out."),
  DOSSIER_STORE: store
    .default({ kind: 'sqlite', directory: './data' })
    .describe('`sqlite:DIRECTORY`, or a `mongodb://` or `mongodb+srv://` URL with a database name.'),
  DOSSIER_SECRET: secrets
    .optional()
    .describe(
      'Seals keys at rest and signs cookies; 32 bytes or more. With SQLite it is made once and kept in `DIRECTORY/secret`; with MongoDB it is required. A comma-separated list rotates it: the first seals, all open.',
    ),
  DOSSIER_ADMIN_USERNAME: text.default('admin').describe('The first administrator, made only when the store has no user.'),
  DOSSIER_ADMIN_PASSWORD: text.optional().describe("The first administrator's password; a random one is printed once when left out."),
  DOSSIER_APPLY: text.optional().describe('A configuration file that is applied at every start, before listening.'),
  DOSSIER_OUTBOUND_ALLOW: outboundEntries
    .default([])
    .describe('Host names and CIDR ranges, separated by commas, that outgoing calls may reach although they are private.'),
  DOSSIER_TRUST_PROXY: wholeNumber(16, 1).default(0).describe('How many proxies in front are trusted for `X-Forwarded-*`.'),
  DOSSIER_DATA_SOURCE: text
    .regex(
      /^(embedded|mongodb(\+srv)?:\/\/.+)$/,
      'must be embedded or a mongodb:// or mongodb+srv:// URL, for example mongodb://localhost/?replicaSet=rs0',
    )
    .optional()
    .describe(
      "What the data source `mongodb-atlas` of App Services apps is: `embedded` (documents kept beside the embedded store), or the application's own MongoDB. Left out, it is embedded with SQLite, and the deployment of `DOSSIER_STORE` with MongoDB.",
    ),
  DOSSIER_CUSTOM_DATA_KB: wholeNumber(1024, 64)
    .default(64)
    .describe('How large a document of custom user data a token of an App Services app carries, in KB. A larger one stays out of it.'),
  DOSSIER_FUNCTION_SECONDS: wholeNumber(300, 30).default(30).describe('How long a function of an App Services app may run.'),
  DOSSIER_FUNCTION_MEMORY_MB: wholeNumber(1024, 64).default(64).describe('How much memory a function of an App Services app may take.'),
  DOSSIER_SMTP_URL: text
    .regex(/^smtps?:\/\/.+/, 'must be an smtp:// or smtps:// URL, for example smtp://user:password@mail.example.com:587')
    .optional()
    .describe('The server that sends mail. Without it messages become `.eml` files in `DOSSIER_MAIL_DIRECTORY`.'),
  DOSSIER_MAIL_FROM: text.default('Dossier <no-reply@localhost>').describe('Who mail comes from: an address, or `Name <address>`.'),
  DOSSIER_SMS_URL: text
    .refine(
      (value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
      'must be an http or https address, for example https://user:password@sms.example.com/send',
    )
    .optional()
    .describe(
      'The gateway that sends text messages: it gets `POST` with the JSON `{"to", "text"}`, and what stands before `@` as HTTP Basic credentials. A private host needs `DOSSIER_OUTBOUND_ALLOW`. Without it messages become `.txt` files in `DOSSIER_MAIL_DIRECTORY`.',
    ),
  DOSSIER_SMS_PER_HOUR: wholeNumber(1_000_000, 200)
    .default(200)
    .describe(
      'How many text messages go out in an hour of the clock, from all servers together. Whoever asks for one more is told to wait. `0` sends none.',
    ),
  DOSSIER_MAIL_DIRECTORY: text
    .optional()
    .describe(
      'Where messages are put while no server sends them; `mail` in the directory of the embedded store, or `./mail`, when left out.',
    ),
  DOSSIER_LOG_LEVEL: z
    .enum(logLevels, `must be one of ${logLevels.join(', ')}, such as info`)
    .default('info')
    .describe('How much is logged.'),
})

export type Configuration = z.output<typeof environmentSchema> & {
  readonly port: number
  /** Where the documents of App Services apps are. */
  readonly dataSource: { readonly kind: 'sqlite'; readonly directory: string } | { readonly kind: 'mongodb'; readonly url: string }
  readonly mailDirectory: string
}

/** Faults of the environment, all of them: the process exits with status 78 (EX_CONFIG). */
export class ConfigurationFaults extends Error {
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(`The configuration is not usable:\n${faults.map((each) => `  ${each}`).join('\n')}`)
    this.faults = faults
  }
}

/**
 * The configuration in `environment`. A value `file:path` is read from that file; an empty value counts as left out.
 * @throws ConfigurationFaults naming every variable that is wrong, what is wrong and an example
 */
export function readConfiguration(environment: Readonly<Record<string, string | undefined>>): Configuration {
  const faults: string[] = []
  const values: Record<string, string> = {}
  for (const [name, given] of Object.entries(environment)) {
    if (!name.startsWith('DOSSIER_') || given === undefined || given === '') continue
    if (!(name in environmentSchema.shape)) {
      faults.push(`${name}: there is no such variable; the names are in docs/configuration.md`)
      continue
    }
    const value = fromFile(given)
    if (value === undefined)
      faults.push(`${name}: the file ${given.slice('file:'.length)} cannot be read; give file:PATH of a readable file`)
    else values[name] = value
  }
  const parsed = environmentSchema.safeParse(values)
  if (!parsed.success) {
    for (const issue of parsed.error.issues) faults.push(`${String(issue.path[0])}: ${issue.message}`)
  } else if (parsed.data.DOSSIER_STORE.kind === 'mongodb' && !parsed.data.DOSSIER_SECRET) {
    faults.push('DOSSIER_SECRET: is required with MongoDB, for example the output of: openssl rand -base64 48')
  }
  if (faults.length > 0 || !parsed.success) throw new ConfigurationFaults(faults)
  const { DOSSIER_PORT, DOSSIER_ISSUER, DOSSIER_STORE, DOSSIER_DATA_SOURCE, DOSSIER_MAIL_DIRECTORY } = parsed.data
  const directory = DOSSIER_STORE.kind === 'sqlite' ? DOSSIER_STORE.directory : './data'
  return {
    ...parsed.data,
    port: DOSSIER_PORT ?? portOf(DOSSIER_ISSUER),
    dataSource: dataSourceOf(DOSSIER_DATA_SOURCE, DOSSIER_STORE, directory),
    mailDirectory: DOSSIER_MAIL_DIRECTORY ?? (DOSSIER_STORE.kind === 'sqlite' ? `${directory}/mail` : './mail'),
  }
}

function dataSourceOf(given: string | undefined, store: Configuration['DOSSIER_STORE'], directory: string): Configuration['dataSource'] {
  if (given === undefined) return store
  return given === 'embedded' ? { kind: 'sqlite', directory } : { kind: 'mongodb', url: given }
}

function fromFile(value: string): string | undefined {
  if (!value.startsWith('file:')) return value
  try {
    return readFileSync(value.slice('file:'.length), 'utf8').trim()
  } catch {
    return undefined
  }
}

function portOf(origin: string): number {
  const { port, protocol } = new URL(origin)
  return port ? Number(port) : protocol === 'https:' ? 443 : 80
}

const isLoopback = (host: string) => host === 'localhost' || host.endsWith('.localhost') || /^127(\.\d+){3}$/.test(host) || host === '[::1]'

function fault(context: z.RefinementCtx, reason: string, example: string): never {
  context.addIssue({ code: 'custom', message: `${reason}, for example ${example}` })
  return z.NEVER
}
