/** `/console/users/{id}/credentials`: what a service account, or somebody's program, proves with who it is. What is secret about it is shown once. */
import type { Clock } from '#src/base/clock.ts'
import type { User } from '#src/domain/users/user.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import type { SentForm } from '../kit/sentForm.ts'
import { type FormFaults, faultsAt, faultsOf } from './faults.ts'
import { rows } from './rows.ts'
import { pathOf, showUser, type UserNeeds, userConfirmation, userPage } from './user.ts'

export interface UserCredentialsNeeds extends UserNeeds {
  readonly now: Clock
}

/** What is added by a form of its own. */
type Kind = 'token' | 'key'

const mostCharacters = 200

/** The end of a day that was chosen (UTC); `undefined` for none, `Invalid Date` for what is no day. */
function endOf(day: string): Date | undefined {
  return day === '' ? undefined : new Date(`${day}T23:59:59.999Z`)
}

/** Shows something that nobody can read later. */
const tell = (
  visit: Visit,
  user: User,
  secret: {
    readonly title: string
    readonly say: string
    readonly values: readonly { readonly label: string; readonly value: string }[]
    readonly download?: { readonly name: string; readonly content: string }
  },
) => visit.show('parts/secret', { secret: { ...secret, back: `/console${pathOf(user, '/credentials')}` } })

export const userCredentialsPages = (needs: UserCredentialsNeeds): readonly AreaPage[] => {
  const { users, now } = needs

  async function show(visit: Visit, user: User): Promise<void> {
    const tokens = await users.listTokens(user.id)
    const at = now()
    const isOver = (end: Date | undefined) => end !== undefined && end <= at
    return showUser(needs, visit, user, 'credentials', {
      tokens: tokens.slice(0, 4 * rows).map((token) => ({ ...token, isOver: isOver(token.expiresAt) })),
      keys: (user.machineKeys ?? []).map(({ id, createdAt, expiresAt }) => {
        const end = expiresAt === undefined ? undefined : new Date(expiresAt)
        return { id, createdAt: new Date(createdAt), expiresAt: end, isOver: isOver(end) }
      }),
      hasSecret: user.secretHash !== undefined,
    })
  }

  const showForm = (kind: Kind, visit: Visit, user: User, form?: FormFaults) =>
    showUser(needs, visit, user, 'credentials', {
      template: 'userNewCredential',
      heading: visit.texts.t(`consoleUsers.credentials.${kind === 'token' ? 'newToken' : 'newKey'}`),
      kind,
      values: {},
      faults: {},
      ...form,
      ...(form && { status: 400 }),
    })

  async function create(kind: Kind, visit: Visit, user: User, form: SentForm): Promise<void> {
    const { t } = visit.texts
    const values = { name: form.text('name'), expires: form.text('expires') }
    const expiresAt = endOf(values.expires)
    const faults = {
      ...(kind === 'token' &&
        (values.name === '' || values.name.length > mostCharacters) && { name: t('consoleUsers.credentials.nameMissing') }),
      ...(expiresAt !== undefined && !(expiresAt > now()) && { expires: t('consoleUsers.credentials.notInFuture') }),
    }
    if (Object.keys(faults).length > 0) return showForm(kind, visit, user, faultsAt(visit, faults, values))
    if (kind === 'token') {
      const { token } = await users.createToken(user.id, { name: values.name, ...(expiresAt && { expiresAt }) }, visit.actor)
      return tell(visit, user, {
        title: t('consoleUsers.credentials.tokenMade'),
        say: t('consoleUsers.credentials.tokenSay'),
        values: [{ label: values.name, value: token }],
      })
    }
    try {
      const file = await users.createKey(user.id, { ...(expiresAt && { expiresAt }) }, visit.actor)
      const content = JSON.stringify(file)
      return await tell(visit, user, {
        title: t('consoleUsers.credentials.keyMade'),
        say: t('consoleUsers.credentials.keySay'),
        values: [{ label: t('consoleUsers.credentials.keyFile'), value: content }],
        download: { name: `${file.keyId}.json`, content },
      })
    } catch (error) {
      return showForm(kind, visit, user, faultsOf(visit, error, values))
    }
  }

  const adding = (kind: Kind): readonly AreaPage[] => {
    const shared = { path: `/credentials/${kind}`, permission: 'user.write', isDangerous: true, isForChange: true } as const
    // A person has a password; that they have programs too is theirs to say.
    const ofMachine = (visit: Visit, user: User, work: () => Promise<void>) => (user.kind === 'machine' ? work() : visit.missing())
    return [
      userPage(needs, { ...shared, method: 'GET', handle: (visit, user) => ofMachine(visit, user, () => showForm(kind, visit, user)) }),
      userPage(needs, {
        ...shared,
        method: 'POST',
        handle: (visit, user, form) => ofMachine(visit, user, () => create(kind, visit, user, form)),
      }),
    ]
  }

  /** Two pages that take something away for good: a question that names it, and what follows. */
  const taking = (
    path: string,
    what: 'key' | 'token' | 'secret',
    name: (visit: Visit, user: User) => Promise<string | undefined> | string | undefined,
    take: (visit: Visit, user: User) => Promise<unknown>,
  ): readonly AreaPage[] =>
    userConfirmation(needs, {
      path,
      permission: 'user.write',
      async ask(visit, user) {
        const { t } = visit.texts
        const found = await name(visit, user)
        if (found === undefined) return undefined
        return {
          title: t(`consoleUsers.credentials.${what}.removeTitle`, { name: found }),
          what: t(`consoleUsers.credentials.${what}.removeWhat`),
          submit: t(`consoleUsers.credentials.${what}.remove`),
          back: `/console${pathOf(user, '/credentials')}`,
        }
      },
      async act(visit, user) {
        await take(visit, user)
        visit.go(pathOf(user, '/credentials'), 'removed')
      },
    })

  return [
    userPage(needs, { method: 'GET', path: '/credentials', permission: 'user.read', handle: (visit, user) => show(visit, user) }),
    ...adding('token'),
    ...adding('key'),
    ...userConfirmation(needs, {
      path: '/credentials/secret',
      permission: 'user.write',
      ask({ texts: { t } }, user) {
        if (user.kind !== 'machine') return undefined
        return {
          title: t('consoleUsers.credentials.secretTitle'),
          what: t(user.secretHash === undefined ? 'consoleUsers.credentials.secretFirst' : 'consoleUsers.credentials.secretReplaces'),
          submit: t('consoleUsers.credentials.secretMake'),
          back: `/console${pathOf(user, '/credentials')}`,
        }
      },
      async act(visit, user) {
        const { t } = visit.texts
        const { secret } = await users.createSecret(user.id, visit.actor)
        await tell(visit, user, {
          title: t('consoleUsers.credentials.secretMade'),
          say: t('consoleUsers.credentials.secretSay'),
          values: [
            { label: t('consoleUsers.credentials.clientId'), value: user.username },
            { label: t('consoleUsers.credentials.clientSecret'), value: secret },
          ],
        })
      },
    }),
    ...taking(
      '/credentials/secret/remove',
      'secret',
      (_visit, user) => (user.secretHash === undefined ? undefined : user.username),
      (visit, user) => users.removeSecret(user.id, visit.actor),
    ),
    ...taking(
      '/credentials/key/:key/remove',
      'key',
      ({ params }, user) => user.machineKeys?.find(({ id }) => id === params.key)?.id,
      (visit, user) => users.removeKey(user.id, visit.params.key ?? '', visit.actor),
    ),
    ...taking(
      '/credentials/token/:token/revoke',
      'token',
      async ({ params }, user) => (await users.listTokens(user.id)).find(({ id }) => id === params.token)?.name,
      (visit, user) => users.revokeToken(user.id, visit.params.token ?? '', visit.actor),
    ),
  ]
}
