/** Settings in the console: seen by who may look, changed by who proves who they are, and never written over unseen. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser, Page } from '../../support/browser.ts'
import { consoleBrowser, newManager } from '../../support/consolePeople.ts'
import { faultOf, hiddenIn, problemOf } from '../../support/forms.ts'
import { type Idp, startIdp } from '../../support/idp.ts'

let idp: Idp
let owner: Browser
beforeAll(async () => {
  idp = await startIdp()
  owner = await consoleBrowser(idp, await newManager(idp, 'IAM_OWNER'))
})
afterAll(() => idp[Symbol.asyncDispose]())

const form = '/console/settings/edit'
const root = () => idp.domain.catalogue.root()

const typed = (page: Page, name: string) => ({
  csrf: hiddenIn(page, 'csrf'),
  mark: hiddenIn(page, 'mark'),
  name,
  primaryDomain: 'acme.example',
  registration: 'closed',
  dynamicClientRegistration: 'closed',
  accessTokenTtl: '12h',
  idTokenTtl: '12h',
  refreshTokenTtl: '30d',
  sessionTtl: '24h',
  accountDeletionGrace: '30d',
  selfManagedProfile: 'all',
})

test('of ten who save at once, one does, and the others are told', async () => {
  for (let round = 0; round < 3; round += 1) {
    const page = await owner.open(form)
    const names = Array.from({ length: 10 }, (_, index) => `Acme ${round}-${index}`)
    const replies = await Promise.all(names.map((name) => owner.open(form, typed(page, name))))
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, ...Array(9).fill(409)])
    const winner = names[replies.findIndex(({ status }) => status === 200)]
    expect((await root()).organization.name).toBe(winner)
    const [loser] = replies.filter(({ status }) => status === 409)
    expect(loser && problemOf(loser)).toContain('Somebody else has saved settings')
  }
})

test('what an apply has written since the form was made is not written over, also at the second attempt', async () => {
  const page = await owner.open(form)
  const { organization } = await root()
  await idp.domain.catalogue.commit({ organization: { ...organization, name: 'By a file' }, events: [] })
  const refused = await owner.open(form, typed(page, 'Mine'))
  expect(refused.status).toBe(409)
  expect((await owner.open(form, typed(refused, 'Mine'))).status).toBe(409)
  expect((await root()).organization.name).toBe('By a file')
})

test('a name that hides something is refused at its field', async () => {
  const page = await owner.open(form)
  for (const name of ['', 'a\u202eb', 'x'.repeat(201)]) {
    const refused = await owner.open(form, typed(page, name))
    expect(refused.status).toBe(400)
    expect(faultOf(refused, 'name')).toBe('must have 1 to 200 characters, and none that nobody sees')
  }
})

test('who may only look sees them without a new sign-in, and has no form', async () => {
  const viewer = await consoleBrowser(idp, await newManager(idp, 'IAM_OWNER_VIEWER'))
  const page = await viewer.open('/console/settings')
  expect(page.status).toBe(200)
  expect(page.text).toContain('Closed: administrators make accounts')
  expect(page.text).not.toContain('settings-edit')
  expect((await viewer.open(form)).status).toBe(403)
  expect((await viewer.open(form, typed(page, 'Theirs'))).status).toBe(403)
})
