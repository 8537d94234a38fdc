/** Roles in projects, and rights in Dossier itself: given by those who have them, and an administrator is always left. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { User } from '#src/domain/users/user.ts'
import type { Browser, Page } from '../../support/browser.ts'
import { consoleBrowser, newManager } from '../../support/consolePeople.ts'
import { doneOf, hiddenIn, problemOf } from '../../support/forms.ts'
import { type Idp, person, startIdp } from '../../support/idp.ts'

const system = { kind: 'system' } as const

let idp: Idp
let own: string
let admin: User
let browser: Browser
let jane: User
beforeAll(async () => {
  idp = await startIdp()
  own = (await idp.domain.catalogue.root()).ownProjectId
  admin = await newManager(idp, 'IAM_OWNER')
  browser = await consoleBrowser(idp, admin)
})
beforeEach(async () => {
  jane = await idp.domain.users.create({ ...person(), password: undefined }, system)
})
afterAll(() => idp[Symbol.asyncDispose]())

const now = (user: User) => idp.domain.users.get(user.id)

/** Sends boxes that are ticked, several of one name. */
async function tick(by: Browser, page: Page, path: string, boxes: readonly (readonly [name: string, value: string])[]): Promise<Page> {
  const body = new URLSearchParams([['csrf', hiddenIn(page, 'csrf')], ...boxes.map(([name, value]) => [name, value])])
  const headers = { accept: 'text/html', cookie: by.cookieHeader('/console') }
  const reply = await fetch(idp.url(path), { method: 'POST', body, headers, redirect: 'manual' })
  const location = reply.headers.get('location')
  if (location) return by.open(location)
  return { status: reply.status, url: idp.url(path), text: await reply.text(), headers: reply.headers }
}
const roles = (...keys: readonly string[]) => keys.map((key) => ['role', key] as const)

describe('roles in a project', () => {
  const path = () => `/console/users/${jane.id}/roles/${idp.project.id}`

  test('are granted, changed, switched off and on, and taken away', async () => {
    const list = await browser.open(`/console/users/${jane.id}/roles`)
    expect(list.text).toContain('Nothing was granted to this user yet.')
    const page = await browser.open(`/console/users/${jane.id}/roles?project=${idp.project.id}`)
    expect(page.url.pathname).toBe(path())
    expect(doneOf(await tick(browser, page, path(), roles('reader')))).toBe('Saved.')
    expect((await now(jane)).roles).toEqual({ [idp.project.id]: ['reader'] })
    await tick(browser, page, path(), roles('reader', 'writer'))
    expect((await now(jane)).roles).toEqual({ [idp.project.id]: ['reader', 'writer'] })

    const granted = await browser.open(`/console/users/${jane.id}/roles`)
    await browser.submit(granted, '/state', { active: 'no' })
    expect((await now(jane)).inactiveGrants).toEqual([idp.project.id])
    const twice = await browser.submit(granted, '/state', { active: 'no' })
    expect(problemOf(twice)).toBe('The roles are switched off already.')
    await browser.submit(twice, '/state', { active: 'yes' })
    expect((await now(jane)).inactiveGrants).toEqual([])
    await browser.submit(granted, `${idp.project.id}/remove`)
    expect((await now(jane)).roles).toEqual({})
    expect(problemOf(await browser.submit(granted, `${idp.project.id}/remove`))).toMatch(/Nothing was granted/)
  })

  test('that the project does not have are refused', async () => {
    const page = await browser.open(path())
    expect(problemOf(await tick(browser, page, path(), roles('owner')))).toMatch(/does not have such a role/)
    expect((await browser.open(`/console/users/${jane.id}/roles/nothing`)).status).toBe(404)
  })

  test("of Dossier's own project are given on a page of their own, whatever address they are sent to", async () => {
    const page = await browser.open(`/console/users/${jane.id}/roles/${own}`)
    expect(page.url.pathname).toBe(`/console/users/${jane.id}/rights`)
    for (const below of ['', '/state', '/remove']) {
      expect((await tick(browser, page, `/console/users/${jane.id}/roles/${own}${below}`, roles('IAM_OWNER'))).status).toBe(403)
    }
    expect((await now(jane)).roles).toEqual({})
  })
})

describe('rights in Dossier itself', () => {
  const path = (user = jane) => `/console/users/${user.id}/rights`

  test('are given by an administrator, changed, switched off and taken away', async () => {
    const page = await browser.open(path())
    const on = ['active', 'yes'] as const
    await tick(browser, page, path(), [...roles('ORG_USER_MANAGER'), on])
    expect((await now(jane)).roles).toEqual({ [own]: ['ORG_USER_MANAGER'] })
    await tick(browser, page, path(), [...roles('ORG_OWNER'), on])
    expect((await now(jane)).roles).toEqual({ [own]: ['ORG_OWNER'] })
    await tick(browser, page, path(), roles('ORG_OWNER'))
    expect((await now(jane)).inactiveGrants).toEqual([own])
    await tick(browser, page, path(), [...roles('ORG_OWNER'), on, ['administrator', 'yes']])
    expect(await now(jane)).toMatchObject({ inactiveGrants: [], admin: true })
    await tick(browser, page, path(), [on])
    expect(await now(jane)).toMatchObject({ roles: {}, admin: false })
  })

  test('an administrator does not take them from themselves, so that one is left', async () => {
    const page = await browser.open(path(admin))
    expect(page.text).toContain('another manager has to change them')
    expect(problemOf(await tick(browser, page, path(admin), [['active', 'yes']]))).toMatch(/another manager has to/)
    expect((await now(admin)).admin).toBe(true)
  })

  test('of two administrators who would take them from each other at the same moment, one stays', async () => {
    const [one, other] = [await newManager(idp, 'IAM_OWNER'), await newManager(idp, 'IAM_OWNER')]
    const [first, second] = [await consoleBrowser(idp, one), await consoleBrowser(idp, other)]
    const [firstPage, secondPage] = [await first.open(path(other)), await second.open(path(one))]
    const none = [['active', 'yes']] as const
    await Promise.all([tick(first, firstPage, path(other), none), tick(second, secondPage, path(one), none)])
    const left = (await Promise.all([now(one), now(other)])).filter((user) => user.admin)
    expect(left).toHaveLength(1)
  })

  test.each([
    ['ORG_USER_MANAGER', 'IAM_OWNER'],
    ['ORG_USER_MANAGER', 'ORG_OWNER'],
    ['ORG_USER_MANAGER', 'PROJECT_OWNER'],
    ['ORG_USER_MANAGER', 'IAM_ADMIN_IMPERSONATOR'],
    ['PROJECT_OWNER', 'ORG_USER_MANAGER'],
    ['PROJECT_OWNER', 'IAM_OWNER'],
    ['ORG_OWNER', 'IAM_OWNER'],
    ['ORG_OWNER', 'IAM_END_USER_IMPERSONATOR'],
  ])('%s does not give %s', async (role, wanted) => {
    const manager = await newManager(idp, role)
    const by = await consoleBrowser(idp, manager)
    const page = await by.open(path())
    expect(page.text).toMatch(new RegExp(`value="${wanted}"[^>]* disabled`))
    expect((await tick(by, page, path(), [...roles(wanted), ['active', 'yes']])).status).toBe(403)
    expect(
      (
        await tick(by, page, path(), [
          ['administrator', 'yes'],
          ['active', 'yes'],
        ])
      ).status,
    ).toBe(403)
    // Nor to themselves.
    expect((await tick(by, page, path(manager), [...roles(role, wanted), ['active', 'yes']])).status).toBe(403)
    expect(await now(jane)).toMatchObject({ roles: {}, admin: false })
    expect((await now(manager)).roles).toEqual({ [own]: [role] })
  })

  test('somebody gives what they hold, and no more', async () => {
    const by = await consoleBrowser(idp, await newManager(idp, 'ORG_USER_MANAGER'))
    const page = await by.open(path())
    await tick(by, page, path(), [...roles('ORG_USER_MANAGER'), ['active', 'yes']])
    expect((await now(jane)).roles).toEqual({ [own]: ['ORG_USER_MANAGER'] })
  })
})
