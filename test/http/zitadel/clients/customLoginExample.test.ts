/** examples/custom-login as its README has it, with a browser. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as client from 'openid-client'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { readConfigurationFile } from '#src/domain/provisioning/file.ts'
import { Browser } from '../../../support/browser.ts'
import { startIdp } from '../../../support/idp.ts'
import { freePort } from '../../../support/ports.ts'

const folder = join(import.meta.dirname, '../../../../examples/custom-login')

test('a person signs in on a page of somebody else', async () => {
  await using idp = await startIdp()
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const source = readFileSync(join(folder, 'dossier.yaml'), 'utf8').replaceAll('http://localhost:3001', origin)
  const nothing = { environment: () => undefined, file: () => undefined }
  await idp.domain.provisioning.apply(readConfigurationFile(source, 'dossier.yaml', nothing), { kind: 'system' })
  const { users } = idp.domain
  const account = await users.findByUsername('login-page')
  const { token } = await users.createToken(account?.id ?? ('' as never), { name: 'page' }, { kind: 'system' })
  const child = spawn(process.execPath, [join(folder, 'main.js')], {
    env: { ...process.env, ISSUER: idp.issuer, PORT: String(port), LOGIN_PAGE_TOKEN: token },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await once(child.stdout, 'data')
    const [application] = parse(source).projects[0].applications
    const configuration = await client.discovery(
      new URL(idp.issuer),
      application.clientId,
      {},
      client.ClientSecretBasic(application.clientSecret),
      {
        execute: [client.allowInsecureRequests],
      },
    )
    const ask = async () => {
      const pkceCodeVerifier = client.randomPKCECodeVerifier()
      const parameters = {
        redirect_uri: application.redirectUris[0],
        scope: 'openid urn:zitadel:iam:user:metadata',
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
      }
      const { url } = await new Browser(idp.issuer).open(client.buildAuthorizationUrl(configuration, parameters))
      expect(url.origin).toBe(origin)
      const own = new Browser(origin)
      return { own, page: await own.open(url), pkceCodeVerifier }
    }
    const { own, page, pkceCodeVerifier } = await ask()
    expect(page.text).toContain('Our own sign-in page')
    const form = { authRequest: page.url.searchParams.get('authRequest') ?? '', username: 'paula.page', answer: 'sign-in' }
    const wrong = await own.open(page.url, { ...form, password: 'a guess' })
    expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining('User name or password is wrong.')])
    const back = await own.open(page.url, { ...form, password: 'paula-s-password' })
    const tokens = await client.authorizationCodeGrant(configuration, back.url, { pkceCodeVerifier })
    const { sub } = tokens.claims() ?? { sub: '' }
    expect((await client.fetchUserInfo(configuration, tokens.access_token, sub))['urn:zitadel:iam:user:metadata']).toEqual({
      ContractNumber: 'NDcxMQ',
    })
    expect((await own.open(page.url)).status).toBe(404)
    const cancelled = await ask()
    const left = await cancelled.own.open(cancelled.page.url, {
      authRequest: cancelled.page.url.searchParams.get('authRequest') ?? '',
      answer: 'cancel',
    })
    expect(left.url.searchParams.get('error')).toBe('access_denied')
  } finally {
    child.kill()
  }
})
