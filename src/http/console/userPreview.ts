/** `/console/users/{id}/preview`: what an application would be told of somebody. Values of metadata are masked until somebody wants to see them, which is recorded. */
import { isRegistered } from '#src/domain/applications/application.ts'
import type { User, UserId } from '#src/domain/users/user.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { beginningOf } from '../kit/pageWeight.ts'
import type { SentForm } from '../kit/sentForm.ts'
import { showUser, userPage } from './user.ts'
import { revealing, type UserMetadataNeeds } from './userMetadata.ts'

type Claims = Readonly<Record<string, unknown>>

export interface UserPreviewNeeds extends UserMetadataNeeds {
  readonly previewClaims: (
    userId: UserId,
    clientId: string,
    scope: string,
  ) => Promise<{ readonly userinfo: Claims; readonly idToken: Claims; readonly accessToken?: Claims } | undefined>
  /** Whether targets of the operator's add to what is told: that is not shown. */
  readonly isAddedTo: () => Promise<boolean>
}

const metadataClaim = 'urn:zitadel:iam:user:metadata'
const scopes = [
  'profile',
  'email',
  'phone',
  'address',
  metadataClaim,
  'custom_data',
  'user_metadata',
  'urn:zitadel:iam:user:resourceowner',
  'urn:zitadel:iam:org:projects:roles',
]
const usual = ['profile', 'email', metadataClaim]

const mostProjects = 100
const mostApplications = 200
/** Bytes of the page for each of userinfo, ID token and access token. */
const shownBytes = 12_000

interface Asked {
  readonly clientId: string
  readonly scopes: readonly string[]
}

const hidden = '•••'

/** `claims` without the values of metadata. */
function masked(claims: Claims): Claims {
  const metadata = claims[metadataClaim]
  if (metadata === null || typeof metadata !== 'object') return claims
  return { ...claims, [metadataClaim]: Object.fromEntries(Object.keys(metadata).map((key) => [key, hidden])) }
}

const keysIn = (claims: Claims | undefined) => Object.keys((claims?.[metadataClaim] ?? {}) as object)

export const userPreviewPages = (needs: UserPreviewNeeds): readonly AreaPage[] => {
  const { catalogue, previewClaims, isAddedTo } = needs

  async function applications() {
    const { projects } = await catalogue.root()
    const own = [...projects.values()].filter(({ id }) => !isRegistered({ projectId: id })).slice(0, mostProjects)
    const found = await Promise.all(
      own.map(async ({ id, name }) =>
        (await catalogue.listApplications(id)).map((each) => ({ clientId: each.clientId, name: `${name}: ${each.name}` })),
      ),
    )
    return found.flat().slice(0, mostApplications)
  }

  async function show(visit: Visit, user: User, { clientId, scopes: wanted }: Asked, isRevealed: boolean): Promise<void> {
    const offered = await applications()
    const view = clientId === '' ? undefined : await catalogue.find(clientId)
    const told = view && (await previewClaims(user.id, clientId, ['openid', ...wanted].join(' ')))
    const keys = new Set([told?.userinfo, told?.idToken, told?.accessToken].flatMap(keysIn))
    if (isRevealed) await revealing(needs, visit, user, [...keys])
    const textOf = (claims: Claims | undefined) => {
      const text = claims && JSON.stringify(isRevealed ? claims : masked(claims), null, 2)
      const shown = text && beginningOf(text, shownBytes)
      return shown && { text: shown, isCut: shown !== text }
    }
    return showUser(needs, visit, user, 'metadata', {
      template: 'userPreview',
      heading: visit.texts.t('consoleUsers.preview.link'),
      offered,
      clientId,
      scopes: scopes.map((scope) => ({ scope, isTicked: wanted.includes(scope) })),
      wanted,
      isRevealed,
      hasMetadata: keys.size > 0,
      isAddedTo: await isAddedTo(),
      ...(clientId !== '' && !view && { problem: visit.texts.t('consoleUsers.preview.noApplication') }),
      ...(told && {
        told: { userinfo: textOf(told.userinfo), idToken: textOf(told.idToken), accessToken: textOf(told.accessToken) },
        application: view?.application.name,
      }),
    })
  }

  const askedByAddress = ({ ctx, query }: Visit): Asked => {
    const given = [ctx.query.scope ?? []].flat()
    return { clientId: query('client'), scopes: query('client') === '' ? usual : given.filter((each) => scopes.includes(each)) }
  }
  const askedByForm = (form: SentForm): Asked => ({
    clientId: form.raw('client'),
    scopes: form.all('scope').filter((each) => scopes.includes(each)),
  })

  return [
    userPage(needs, {
      method: 'GET',
      path: '/preview',
      permission: 'user.read',
      handle: (visit, user) => show(visit, user, askedByAddress(visit), false),
    }),
    userPage(needs, {
      method: 'POST',
      path: '/preview',
      permission: 'user.read',
      isForChange: false,
      handle: (visit, user, form) => show(visit, user, askedByForm(form), true),
    }),
  ]
}
