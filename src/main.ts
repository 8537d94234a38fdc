/** The process: reads the configuration, composes, listens, and drains when it is told to stop. */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import { CannotStart } from '#src/base/errors.ts'
import { composeService, type Domain, openDomain } from '#src/compose.ts'
import { administratorFaults } from '#src/composeDomain.ts'
import { type Configuration, ConfigurationFaults, readConfiguration } from '#src/platform/config.ts'
import { createLog } from '#src/platform/log.ts'
import { drain } from '#src/platform/shutdown.ts'

export interface ServeOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Lines for the person who starts it. */
  readonly say: (line: string) => void
  /** What is looked at before anything is made. */
  readonly check?: (configuration: Configuration) => Promise<void>
  /** What to do with the domain before listening. */
  readonly prepare?: (domain: Domain, configuration: Configuration) => Promise<void>
}

/** Runs the server until it is told to stop. @throws ConfigurationFaults, CannotStart */
export async function serve({ environment, say, check, prepare }: ServeOptions): Promise<void> {
  const configuration = readConfiguration(environment)
  const log = createLog(configuration.DOSSIER_LOG_LEVEL)
  const { DOSSIER_HOST: host, DOSSIER_ISSUER: issuer, port } = configuration
  const faults = administratorFaults(configuration)
  if (faults.length > 0) throw new ConfigurationFaults([...faults])
  await check?.(configuration)
  await assertPortFree(host, port)

  const domain = await openDomain(configuration)
  try {
    const administrator = await ensureAdministrator(domain, configuration)
    try {
      await prepare?.(domain, configuration)
    } catch (error) {
      // The administrator is there from now on, and the next start will not tell.
      if (administrator) for (const line of credentialsOf(administrator)) say(line)
      throw error
    }
    const service = await composeService(configuration, domain, log)
    const toldToStop = untilToldToStop()
    await new Promise<void>((resolve, reject) => {
      service.server.once('error', (error) => reject(cannotListen(error, host, port)))
      service.server.listen(port, host, resolve)
    })
    for (const line of await greeting(domain, issuer, administrator)) say(line)
    log.info({ issuer, host, port, store: domain.stores.description }, 'listening')
    await toldToStop
    log.info('shutting down')
    service.announceShutdown()
    await drain(service.server)
    await service.finish()
  } finally {
    await domain.stores.close()
  }
}

interface Administrator {
  readonly username: string
  /** Only when it was made up here: it is told this once. */
  readonly password?: string
}

/** Makes the first administrator when the store has no user at all. */
async function ensureAdministrator({ users }: Domain, configuration: Configuration): Promise<Administrator | undefined> {
  if (!(await users.isEmpty())) return undefined
  const username = configuration.DOSSIER_ADMIN_USERNAME
  const given = configuration.DOSSIER_ADMIN_PASSWORD
  const password = given ?? randomBytes(15).toString('base64url')
  try {
    await users.create({ kind: 'human', username, profile: { displayName: 'Administrator' }, password, admin: true }, { kind: 'system' })
  } catch (error) {
    // Another instance that starts at the same moment was faster.
    if ((error as { code?: string }).code !== 'user.username_taken') throw error
    return undefined
  }
  return { username, password: given === undefined ? password : undefined }
}

async function greeting(
  { stores, catalogue }: Domain,
  issuer: string,
  administrator: Administrator | undefined,
): Promise<readonly string[]> {
  const addresses = ['', `  ${issuer}/`, `  ${issuer}/console`, `  ${issuer}/.well-known/openid-configuration`, '']
  if (!administrator) {
    const { ownProjectId } = await catalogue.root()
    const projects = (await catalogue.listProjects()).filter(({ id }) => id !== ownProjectId)
    const applications = await Promise.all(projects.map(({ id }) => catalogue.listApplications(id)))
    const counts = `${count(projects.length, 'project')} and ${count(applications.flat().length, 'application')}`
    return [`Dossier is running on ${stores.description}, where it found ${counts}.`, ...addresses]
  }
  return [`Dossier is running on ${stores.description}, which is new. ${credentialsOf(administrator).join('\n')}`, ...addresses]
}

const credentialsOf = ({ username, password }: Administrator): readonly string[] => [
  'The administrator:',
  '',
  `  user name  ${username}`,
  ...(password === undefined
    ? ['  password   as given in DOSSIER_ADMIN_PASSWORD']
    : [`  password   ${password}`, '', 'The password is shown this once.']),
]

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`

/** Finds out before anything is written that somebody else has the port. */
async function assertPortFree(host: string, port: number): Promise<void> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (error) => reject(cannotListen(error, host, port)))
    probe.listen(port, host, () => probe.close(() => resolve()))
  })
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new CannotStart(
      `Port ${port} on ${host} is in use; stop the program that has it, or set DOSSIER_ISSUER (and DOSSIER_PORT) to another port.`,
    )
  }
  if (error.code === 'EACCES') return new CannotStart(`Port ${port} may not be opened by this user; set DOSSIER_PORT to a port above 1023.`)
  return new CannotStart(
    `Cannot listen on ${host}:${port} (${error.message}); set DOSSIER_HOST and DOSSIER_PORT to an address of this machine.`,
  )
}

/** The first SIGTERM or SIGINT; a second one ends the process at once. */
function untilToldToStop(): Promise<void> {
  return new Promise((resolve) => {
    let told = false
    const stop = () => {
      if (told) process.exit(1)
      told = true
      resolve()
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
}
