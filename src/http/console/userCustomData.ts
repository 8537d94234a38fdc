/** `/console/users/{id}/custom-data`: the document that each App Services app keeps of somebody. */
import type { AppView } from '#src/domain/apps/app.ts'
import type { Apps } from '#src/domain/apps/apps.ts'
import { CustomDataConflict, type CustomDataEditing, type SeenDocument } from '#src/domain/userdata/editing.ts'
import { plain } from '#src/domain/userdata/plain.ts'
import type { User } from '#src/domain/users/user.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { beginningOf, editable } from '../kit/pageWeight.ts'
import type { SentForm } from '../kit/sentForm.ts'
import { answerBytes } from './attachment.ts'
import { readDocument, writeDocument } from './documentText.ts'
import { type FormFaults, faultsAt } from './faults.ts'
import { readable } from './readable.ts'
import { pathOf, showUser, type UserNeeds, userPage } from './user.ts'

export interface UserCustomDataNeeds extends UserNeeds {
  readonly apps: Pick<Apps, 'list'>
  readonly customData: CustomDataEditing
}

/** App Services' advice: the document is in every request. */
const advisedBytes = 16 * 1024
/** Bytes of the page that show what somebody else has written. */
const shownBytes = 16_000
const formBytes = 20 * 1024 * 1024

export const userCustomDataPages = (needs: UserCustomDataNeeds): readonly AreaPage[] => {
  const { apps, customData } = needs
  const withCustomData = async () => (await apps.list()).filter(({ configuration: { customUserData } }) => customUserData)

  /** A document that is yet to be made. */
  const blank = ({ configuration: { customUserData } }: AppView, { id }: User) => {
    const { userIdField: field = '' } = customUserData ?? {}
    return JSON.stringify(field === '_id' ? { _id: { $oid: id } } : { [field]: id }, null, 2)
  }

  const placeOf = ({ app, configuration: { customUserData } }: AppView) => ({
    id: app.id,
    name: app.name,
    collection: `${customUserData?.database}.${customUserData?.collection}`,
    field: customUserData?.userIdField,
  })

  async function list(visit: Visit, user: User): Promise<void> {
    const views = await withCustomData()
    const documents = await Promise.all(
      views.map(async (view) => {
        const { document, bytes } = await customData.read(view, user.id)
        return { ...placeOf(view), bytes, isLarge: bytes > advisedBytes, ...(document && { document: readable(plain(document)) }) }
      }),
    )
    return showUser(needs, visit, user, 'custom-data', { documents })
  }

  const showForm = (visit: Visit, user: User, view: AppView, seen: SeenDocument, form?: Partial<FormFaults>) => {
    const { text, isLeftOut } = editable(seen.document ? writeDocument(seen.document) : blank(view, user))
    return showUser(needs, visit, user, 'custom-data', {
      template: 'userDocument',
      heading: view.app.name,
      app: placeOf(view),
      mark: seen.mark,
      bytes: seen.bytes,
      isLarge: seen.bytes > advisedBytes,
      isNew: seen.document === undefined,
      isTooLong: isLeftOut,
      values: { document: text },
      faults: {},
      ...form,
      ...(form && { status: 400 }),
    })
  }

  async function showConflict(visit: Visit, user: User, view: AppView, mine: string): Promise<void> {
    const theirs = await customData.read(view, user.id)
    const text = theirs.document && writeDocument(theirs.document)
    const shown = text === undefined ? undefined : beginningOf(text, shownBytes)
    const kept = editable(mine)
    return showUser(needs, visit, user, 'custom-data', {
      template: 'userDocumentConflict',
      heading: view.app.name,
      app: placeOf(view),
      mark: theirs.mark,
      theirs: shown,
      isCut: shown !== text,
      isLeftOut: kept.isLeftOut,
      values: { document: kept.text },
      faults: {},
      status: 409,
    })
  }

  async function save(visit: Visit, user: User, view: AppView, form: SentForm): Promise<void> {
    const text = form.file('file')?.bytes.toString('utf8') ?? form.raw('document').replaceAll('\r\n', '\n')
    const typed = { document: text }
    const again = async (faults: FormFaults) =>
      showForm(visit, user, view, { ...(await customData.read(view, user.id)), mark: form.raw('mark') }, faults)
    const read = readDocument(visit.texts, text)
    if ('fault' in read) return again(faultsAt(visit, { document: read.fault }, typed))
    try {
      await customData.write(view, user.id, read.document, form.raw('mark'), visit.actor)
      visit.go(pathOf(user, '/custom-data'), 'saved')
    } catch (error) {
      if (error instanceof CustomDataConflict) return showConflict(visit, user, view, text)
      await again(faultsAt(visit, { document: visit.problemOf(error) }, typed))
    }
  }

  /** A page about the document of one app. */
  const about = (
    page: Pick<AreaPage, 'method' | 'limitBytes'> & { readonly path: string; readonly permission: string; readonly isForChange?: boolean },
    handle: (visit: Visit, user: User, view: AppView, form: SentForm) => Promise<void>,
  ) =>
    userPage(needs, {
      ...page,
      async handle(visit, user, form) {
        const view = (await withCustomData()).find(({ app }) => app.id === visit.params.app)
        return view ? handle(visit, user, view, form) : visit.missing()
      },
    })

  return [
    userPage(needs, { method: 'GET', path: '/custom-data', permission: 'user.read', handle: list }),
    about({ method: 'GET', path: '/custom-data/:app', permission: 'user.write', isForChange: true }, async (visit, user, view) =>
      showForm(visit, user, view, await customData.read(view, user.id)),
    ),
    about({ method: 'POST', path: '/custom-data/:app', permission: 'user.write', limitBytes: formBytes }, save),
    about({ method: 'GET', path: '/custom-data/:app/file', permission: 'user.read' }, async (visit, user, view) => {
      const { document } = await customData.read(view, user.id)
      if (!document) return visit.missing()
      answerBytes(visit.ctx, { bytes: Buffer.from(writeDocument(document)), name: `${view.app.name}-${user.id}.json` })
    }),
  ]
}
