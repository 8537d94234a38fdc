/** What the README walks a newcomer through, run as it is written. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { Browser } from '../support/browser.ts'
import { freePort } from '../support/ports.ts'
import { startServer } from '../support/serverProcess.ts'
import { tempDir } from '../support/temp.ts'

const root = resolve(import.meta.dirname, '../..')
const commands = [...readFileSync(resolve(root, 'README.md'), 'utf8').matchAll(/```sh\n(.*?)```/gs)].map(([, text = '']) => text.trim())
const run = promisify(execFile)

/** The one command of the README that has `text` in it. */
function command(text: string): string {
  const found = commands.filter((each) => each.includes(text))
  expect(found, text).toHaveLength(1)
  return found[0] as string
}

test('the five commands of the README do what it says', async () => {
  const issuer = `http://localhost:${await freePort()}`
  const directory = tempDir()
  const environment = { DOSSIER_ISSUER: issuer, DOSSIER_STORE: `sqlite:${directory}`, DOSSIER_LOG_LEVEL: 'silent' }
  await using server = await startServer(environment)
  expect(server.stdout()).toContain(issuer)
  const shell = async (text: string, more: Record<string, string> = {}) => {
    const env = { ...process.env, PATH: `${resolve(root, 'node_modules/.bin')}:${process.env.PATH}`, ...environment, ...more }
    return (await run('bash', ['-euc', text.replaceAll('http://localhost:8080', issuer)], { cwd: root, env })).stdout
  }

  expect(await shell(command('dossier apply'))).toContain('8 created, 1 updated')

  const port = await freePort()
  // The demo registers port 3000, which may be taken on this machine.
  const demo = readFileSync(resolve(root, 'examples/demo.yaml'), 'utf8').replaceAll('localhost:3000', `localhost:${port}`)
  writeFileSync(join(directory, 'demo.yaml'), demo)
  await shell(`node bin/dossier.js apply ${join(directory, 'demo.yaml')}`)
  const tokens = await signInAt(port, issuer, { ...environment, ISSUER: issuer, PORT: String(port) })

  expect(JSON.parse(await shell(command('/oidc/v1/userinfo'), tokens))).toMatchObject({
    sub: '63ed2dbe5960df2af7fd216e',
    email: 'road.runner@acme.example',
    'urn:zitadel:iam:user:metadata': { ContractNumber: 'MTIzNA' },
  })
  expect(await shell(command('ID_TOKEN'), tokens)).toContain("ContractNumber: 'MTIzNA'")
  expect(JSON.parse(await shell(command('_search'), tokens))).toMatchObject({
    details: { totalResult: '1' },
    result: [{ key: 'ContractNumber', value: 'MTIzNA==' }],
  })
})

/** Runs the example as the README does, signs in there, and answers what its `export` lines set. */
async function signInAt(port: number, issuer: string, environment: Record<string, string>): Promise<Record<string, string>> {
  const [, file = ''] = command('examples/relying-party').split(' ')
  const example = spawn(process.execPath, [resolve(root, file)], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  example.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk
  })
  await once(example.stderr, 'data')
  const begun = await fetch(`http://localhost:${port}/`, { redirect: 'manual' })
  const cookie = begun.headers.getSetCookie()[0]?.split(';')[0] as string
  const address = new URL(begun.headers.get('location') as string)
  expect(address.searchParams.get('redirect_uri')).toBe(`http://localhost:${port}/callback`)
  const browser = new Browser(issuer)
  const back = await browser.submit(await browser.open(address), '/login', { username: 'road.runner', password: 'beep-beep-beep' })
  const page = await fetch(back.url, { headers: { cookie } })
  expect(await page.text()).toContain('Signed in')
  await expect.poll(() => printed).toContain('export REFRESH_TOKEN=')
  example.kill()
  return Object.fromEntries([...printed.matchAll(/export (\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]))
}
