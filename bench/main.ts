/**
 * `npm run bench`: starts the server on each store with a seeded data set, drives it from a second process, and prints one table. A bare Koa
 * server runs in the same run: on a noisy machine only the ratio to it means something.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { MongoClient } from 'mongodb'
import { openDomain } from '#src/compose.ts'
import { readConfiguration } from '#src/platform/config.ts'
import { Browser } from '../test/support/browser.ts'
import { startMongodb } from '../test/support/mongodbServer.ts'
import { freePort } from '../test/support/ports.ts'
import { appLoginsAt, seedApp } from './app.ts'
import type { Drive, Driven } from './driver.ts'
import { type AskedLists, listNames, type Measured } from './lists.ts'
import { logoutSessionsFor } from './logout.ts'
import type { Usage } from './report.ts'
import { type Facts, scenarios } from './scenarios.ts'
import { type Seeded, seed } from './seed.ts'
import { overLimit, type Row, tableOf } from './table.ts'
import { accessTokensFor, managerTokenOf, refreshTokensFor } from './tokens.ts'

const help = `usage: npm run bench -- [options]

  --users N          seed N users (1000)
  --keys N           with N metadata keys each (10)
  --store LIST       sqlite or mongodb, or both with a comma (both); TEST_MONGODB_URL names a replica set,
                     and without it the MongoDB of the tests is used
  --only TEXT        only scenarios whose name has TEXT in it
  --seconds N        measure each for N seconds (4)
  --connections N    ask over N connections at once (16)
  --json             one JSON document instead of the table

Ends with status 1 when a list takes more CPU than it may, and says which.`

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000' },
    keys: { type: 'string', default: '10' },
    store: { type: 'string', default: 'sqlite,mongodb' },
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '16' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

const users = wholeNumber('users', 100_000_000)
const keys = wholeNumber('keys', 1000)
const seconds = wholeNumber('seconds', 60)
const connections = wholeNumber('connections', 256)
/** Until then the machine code of the hot paths is still being made. */
const warmUpSeconds = 4
const note = (line: string) => process.stderr.write(line)

if (values.help) console.log(help)
else await main()

function wholeNumber(name: 'users' | 'keys' | 'seconds' | 'connections', most: number): number {
  const number = Number(values[name])
  if (Number.isInteger(number) && number > 0 && number <= most) return number
  console.error(`--${name} must be a whole number from 1 to ${most}\n\n${help}`)
  process.exit(2)
}

async function main(): Promise<void> {
  const rows: Row[] = []
  const stores = values.store.split(',')
  const unknown = stores.find((store) => !['sqlite', 'mongodb'].includes(store))
  if (unknown !== undefined) throw new Error(`--store: ${JSON.stringify(unknown)} is neither sqlite nor mongodb`)
  for (const store of stores) rows.push(...(await measureStore(store)))
  console.log(values.json ? JSON.stringify({ node: process.version, users, keys, seconds, connections, rows }, null, 2) : tableOf(rows))
  for (const { store, scenario, cpuMicroseconds, limitMilliseconds } of overLimit(rows)) {
    note(`${store}: ${scenario} takes ${(cpuMicroseconds / 1000).toFixed(1)} ms of CPU, which is more than ${limitMilliseconds}\n`)
    process.exitCode = 1
  }
}

async function measureStore(store: string): Promise<readonly Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'dossier-bench-'))
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  await using mongodb = store === 'mongodb' ? await openMongodb() : undefined
  const environment = {
    DOSSIER_ISSUER: issuer,
    DOSSIER_STORE: mongodb?.store ?? `sqlite:${directory}`,
    DOSSIER_SECRET: 'a secret for the benchmark of 32 bytes and more',
    DOSSIER_LOG_LEVEL: 'info',
    DOSSIER_OUTBOUND_ALLOW: '127.0.0.1',
  }
  const koa = start('koa.ts', {}, join(directory, 'koa.log'))
  const koaPort = await koa.port
  const log = join(directory, 'server.log')
  let server: ReturnType<typeof start> | undefined
  try {
    const domain = await openDomain(readConfiguration(environment))
    const startedAt = Date.now()
    const seeded = await seed(domain, { count: users, keys }, (done) =>
      note(`\r${store}: ${done} of ${users} users, ${Math.round((Date.now() - startedAt) / 1000)} s`),
    )
    note('\n')
    const accessTokens = await accessTokensFor(domain, seeded.clientId, seeded.userIds)
    const refreshTokens = await refreshTokensFor(domain, seeded.clientId, seeded.userIds.slice(0, 2 * connections))
    if (refreshTokens.length < 2 * connections) throw new Error('--connections may be half of --users at the most')
    const boundTokens = await accessTokensFor(domain, seeded.clientId, seeded.userIds, { jkt: seeded.thumbprint })
    const managerToken = await managerTokenOf(domain)
    const logoutPort = await freePort()
    const owners = seeded.userIds.map((userId, index) => ({ userId, token: accessTokens[index] as string }))
    const logoutSessions = await logoutSessionsFor(domain, logoutPort, owners)
    await seedApp(domain)
    await domain.stores.close()

    // A start before, so that what is measured is a start like all but the very first.
    server = start('server.ts', environment, log)
    await server.port
    server.child.kill('SIGKILL')
    await once(server.child, 'exit')
    const began = performance.now()
    server = start('server.ts', environment, log)
    await server.port
    const firstPage = await fetch(issuer)
    await firstPage.text()
    const startMilliseconds = performance.now() - began
    const idle = await server.usage()
    const cookie = await signIn(issuer, seeded)
    const consoleCookie = await signInToConsole(issuer, seeded)
    const appLogins = await appLoginsAt(issuer, connections)
    const facts: Facts = {
      ...seeded,
      issuer,
      cookie,
      consoleCookie,
      accessTokens,
      managerToken,
      boundTokens,
      refreshTokens,
      logoutSessions,
      logoutPort,
      appLogins,
    }

    const rows: Row[] = []
    for (const scenario of scenarios.filter(({ name }) => name === 'bare Koa' || name.includes(values.only))) {
      const target = scenario.name === 'bare Koa' ? koa : server
      note(`${store}: ${scenario.name} …\n`)
      const drive = {
        scenario: scenario.name,
        port: scenario.name === 'bare Koa' ? koaPort : port,
        host: new URL(issuer).host,
        connections,
        facts,
      }
      // Warm-up and measurement take refresh tokens and sessions of their own: each works once.
      const half = Math.floor(logoutSessions.length / 2)
      const spare = { refreshTokens: refreshTokens.slice(connections), logoutSessions: logoutSessions.slice(half) }
      await driveOnce({ ...drive, seconds: warmUpSeconds, facts: { ...facts, ...spare } })
      const before = await target.usage()
      const driven = await driveOnce({ ...drive, seconds })
      const after = await target.usage()
      const cpu = (after.cpuMicroseconds - before.cpuMicroseconds) / driven.requests
      const base = rows[0]?.cpuMicroseconds ?? cpu
      rows.push({
        store,
        scenario: scenario.name,
        aim: scenario.aim,
        limitMilliseconds: scenario.limitMilliseconds,
        ...driven,
        cpuMicroseconds: cpu,
        ratio: cpu / base,
        rssBytes: after.rssBytes,
      })
    }
    server.child.kill('SIGKILL')
    const bare = rows[0]?.cpuMicroseconds ?? 1
    rows.push(...(await measureLists(store, environment, seeded, log)).map((row) => ({ ...row, ratio: row.cpuMicroseconds / bare })))
    note(`${store}: first page ${Math.round(startMilliseconds)} ms after the start, ${Math.round(idle.rssBytes / 1e6)} MB then\n`)
    return rows
  } catch (error) {
    if (existsSync(log)) note(readFileSync(log, 'utf8').slice(-2000))
    throw error
  } finally {
    server?.child.kill('SIGKILL')
    koa.child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Asks the domain for its lists, in a process of its own. */
async function measureLists(
  store: string,
  environment: Readonly<Record<string, string>>,
  { projectId, userIds }: Pick<Seeded, 'projectId' | 'userIds'>,
  log: string,
): Promise<readonly Omit<Row, 'ratio'>[]> {
  const names = listNames.filter((name) => name.includes(values.only))
  if (names.length === 0) return []
  note(`${store}: ${names.length} lists …\n`)
  const child = forked('domain.ts', environment, log)
  try {
    const measured = told<readonly Measured[]>(child, 'measured')
    child.send({ names, seconds, facts: { projectId, userIds, users } } satisfies AskedLists)
    return (await measured).map((each) => ({ store, limitMilliseconds: 50, ...each }))
  } finally {
    child.kill('SIGKILL')
  }
}

/** The log goes where an operator's would: out of the process, into a file that nobody reads unless it fails. */
function forked(file: string, environment: Readonly<Record<string, string>>, log: string): ChildProcess {
  return fork(join(import.meta.dirname, file), {
    // As `npm start` and the image have it.
    execArgv: file !== 'koa.ts' ? ['--max-semi-space-size=4'] : [],
    env: { ...process.env, ...environment, NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') },
    stdio: ['ignore', 'ignore', openSync(log, 'w'), 'ipc'],
  })
}

function start(file: string, environment: Readonly<Record<string, string>>, log: string) {
  const child = forked(file, environment, log)
  return {
    child,
    port: told<number>(child, 'port'),
    usage(): Promise<Usage> {
      const answer = told<Usage>(child, 'usage')
      child.send('usage')
      return answer
    },
  }
}

/** The next message of a child that has a member `name`. */
function told<T>(child: ChildProcess, name: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const listen = (message: Record<string, unknown>) => {
      if (!(name in message) && !('failed' in message)) return
      child.off('message', listen as never)
      child.off('exit', ended)
      if ('failed' in message) reject(new Error(String(message.failed)))
      else resolve(message[name] as T)
    }
    const ended = (code: number | null) => reject(new Error(`a child process ended with ${code}`))
    child.on('message', listen as never)
    child.once('exit', ended)
  })
}

async function driveOnce(drive: Drive): Promise<Driven> {
  const child = fork(join(import.meta.dirname, 'driver.ts'))
  const driven = told<Driven>(child, 'driven')
  child.send(drive)
  try {
    return await driven
  } finally {
    child.kill()
  }
}

/** Signs the one person in, as a browser would, and answers the cookies. */
async function signIn(
  issuer: string,
  { clientId, redirectUri, username, password }: { clientId: string; redirectUri: string; username: string; password: string },
) {
  const browser = new Browser(issuer)
  const challenge = { code_challenge: 'A'.repeat(43), code_challenge_method: 'S256' }
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: 'openid',
    ...challenge,
  })
  const page = await browser.open(`/oauth/v2/authorize?${query}`)
  await browser.submit(page, '/login', { username, password })
  return browser.cookieHeader('/')
}

/** The same for the console. */
async function signInToConsole(issuer: string, { username, password }: { username: string; password: string }) {
  const browser = new Browser(issuer)
  const page = await browser.open('/console')
  await browser.submit(page, '/login', { username, password })
  return browser.cookieHeader('/')
}

/** A database of its own on a MongoDB, dropped afterwards. */
async function openMongodb() {
  const given = process.env.TEST_MONGODB_URL
  const server = given ? undefined : await startMongodb()
  const url = new URL(given ?? (server?.url as string))
  url.pathname = `/dossier_bench_${process.pid}`
  return {
    store: url.href,
    async [Symbol.asyncDispose]() {
      const client = new MongoClient(url.href)
      await client.db().dropDatabase()
      await client.close()
      await server?.[Symbol.asyncDispose]()
    },
  }
}
