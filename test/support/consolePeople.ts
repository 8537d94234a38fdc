/** People who manage, by role, and a browser that each is signed in to the console with. */
import { newSecret } from '#src/base/ids.ts'
import type { User } from '#src/domain/users/user.ts'
import type { Browser } from './browser.ts'
import { type Idp, password, person } from './idp.ts'

const system = { kind: 'system' } as const

/** Somebody with roles of Dossier's own project; `IAM_OWNER` makes an administrator. */
export async function newManager({ domain }: Pick<Idp, 'domain'>, ...roles: readonly string[]): Promise<User> {
  const { ownProjectId } = await domain.catalogue.root()
  const username = `manager-${newSecret().slice(0, 10)}`
  const isAdmin = roles.includes('IAM_OWNER')
  return domain.users.create(
    {
      ...person({ username, profile: { displayName: `Manager ${roles.join(' ')}` }, metadata: [] }),
      admin: isAdmin,
      roles: isAdmin || roles.length === 0 ? {} : { [ownProjectId]: roles },
    },
    system,
  )
}

/** A browser in which `user` is signed in to the console. */
export async function consoleBrowser(idp: Idp, user: User): Promise<Browser> {
  const browser = idp.browser()
  const page = await browser.open('/console')
  await browser.submit(page, '/login', { username: user.username, password })
  return browser
}
