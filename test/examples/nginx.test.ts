/** The example of nginx, with its own configuration files: two people sign in through it, and get two upstreams by their contract number. */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser } from '../support/browser.ts'
import { startNginx, withoutNginx } from '../support/nginx.ts'
import { freePort } from '../support/ports.ts'
import { startServer } from '../support/serverProcess.ts'
import { tempDir } from '../support/temp.ts'

const root = resolve(import.meta.dirname, '../..')
const run = promisify(execFile)

if (withoutNginx) process.stderr.write(`\n*** THE EXAMPLE OF NGINX IS NOT TESTED (${withoutNginx}) ***\n\n`)

describe.skipIf(withoutNginx !== undefined)(`behind nginx${withoutNginx ? ` (${withoutNginx})` : ''}`, () => {
  const directory = tempDir()
  const started = new AsyncDisposableStack()
  let issuer: string
  let origin: string

  beforeAll(async () => {
    const [dossier, nginx, alpha, beta] = [
      await freePort(),
      await freePort('127.0.0.1'),
      await freePort('127.0.0.1'),
      await freePort('127.0.0.1'),
    ]
    const ports = { 8080: dossier, 8000: nginx, 8001: alpha, 8002: beta }
    /** A copy of a file of the example with ports that are free here. */
    const copy = (name: string) => {
      const text = readFileSync(resolve(root, 'examples/nginx', name), 'utf8')
      writeFileSync(
        join(directory, name),
        text.replace(/(?<=(?:localhost|127\.0\.0\.1):)\d+/g, (port) => String(ports[Number(port) as 8080])),
      )
      return join(directory, name)
    }
    issuer = `http://localhost:${dossier}`
    origin = `http://localhost:${nginx}`
    const environment = { DOSSIER_ISSUER: issuer, DOSSIER_STORE: `sqlite:${directory}`, DOSSIER_LOG_LEVEL: 'silent' }
    started.use(await startServer(environment))
    await run(process.execPath, [resolve(root, 'bin/dossier.js'), 'apply', copy('dossier.yaml')], {
      env: { ...process.env, ...environment },
    })
    started.use(await startNginx(copy('nginx.conf'), nginx))
  })
  afterAll(() => started.disposeAsync())

  /** Opens a page behind nginx in a new browser, signs in when asked, and answers the browser with what it gets in the end. */
  async function open(path: string, username: string, password: string) {
    const atNginx = new Browser(origin)
    const atDossier = new Browser(issuer)
    const asked = await atNginx.open(path)
    expect(asked.url.origin).toBe(issuer)
    const back = await atDossier.submit(await atDossier.open(asked.url), '/login', { username, password })
    expect(back.url.href).toMatch(`${origin}/.dossier/callback?`)
    return { atNginx, atDossier, page: await atNginx.open(back.url) }
  }

  const ask = (path: string, headers: Record<string, string>) => fetch(new URL(path, origin), { redirect: 'manual', headers })

  test('people who have signed in get the upstream of their contract number, which is told who they are', async () => {
    // The longest address that people are sent back to.
    const path = `/orders?page=2&filter=${'&=%20'.repeat(405)}`
    const anna = await open(path, 'anna.alpha', 'anna-anna-anna')
    expect(anna.page.url.href).toBe(origin + path)
    expect(anna.page.text).toMatch(/^alpha\nuser [0-9a-f]{24}\nemail anna\.alpha@acme\.example\nroles reader\ncontract 1234\n/)

    const bert = await open('/', 'bert.beta', 'bert-bert-bert')
    expect(bert.page.text).toMatch(/^beta\nuser [0-9a-f]{24}\nemail bert\.beta@acme\.example\nroles \ncontract 7890\n/)
    expect((await anna.atNginx.open('/')).text).toMatch(/^alpha\n/)
  })

  test('a changed contract number leads to the other upstream with the next request', async () => {
    const { atNginx, page } = await open('/', 'bert.beta', 'bert-bert-bert')
    expect(page.text).toMatch(/^beta\n/)
    const environment = { ...process.env, DOSSIER_ISSUER: issuer, DOSSIER_STORE: `sqlite:${directory}` }
    const set = (value: string) =>
      run(process.execPath, [resolve(root, 'bin/dossier.js'), 'metadata', 'set', 'bert.beta', 'ContractNumber', value], {
        env: environment,
      })
    await set('1111')
    expect((await atNginx.open('/')).text).toMatch(/^alpha\n/)
    await set('7890')
    expect((await atNginx.open('/')).text).toMatch(/^beta\n/)
  })

  test('headers that a client sends under the names of Dossier never arrive, nor does the cookie that signs in', async () => {
    const forged = {
      'x-dossier-user': 'admin',
      'x-dossier-roles': 'admin',
      'x-dossier-metadata-contractnumber': '1',
      'x-dossier-client': 'x',
    }
    const { atNginx } = await open('/', 'bert.beta', 'bert-bert-bert')
    const reply = await ask('/', { ...forged, cookie: `first=1; ${atNginx.cookieHeader('/')}; last=2` })
    const text = await reply.text()
    expect(text).toMatch(/^beta\n/)
    expect(text).toMatch(/\nroles \n/)
    expect(text).not.toContain('admin')
    expect(text).not.toContain('dossier-forward=')
    expect(text).toMatch(/\ncookies first=1; .*last=2\n$/)
    expect((await ask('/', forged)).status).toBe(302)
  })

  test('nobody asks the question from outside, and signing out is the end', async () => {
    const { atNginx, atDossier } = await open('/', 'anna.alpha', 'anna-anna-anna')
    const cookie = atNginx.cookieHeader('/')
    expect((await ask('/.dossier/check', { cookie })).status).toBe(404)
    const leaving = await atNginx.open('/.dossier/sign-out')
    const left = await atDossier.submit(await atDossier.open(leaving.url), '/confirm', { logout: 'yes' })
    expect(left.url.href).toBe(`${origin}/`)
    expect((await ask('/', { cookie })).status).toBe(302)
  })
})
