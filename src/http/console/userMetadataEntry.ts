/** `/console/users/{id}/metadata/{key}`: one value, with who has written it; and what replaces it, unless somebody else was faster. */
import { guessValue } from '#src/domain/metadata/kind.ts'
import { type KeyValue, MetadataConflict, type MetadataEntry, metadataLimits } from '#src/domain/metadata/metadata.ts'
import type { User } from '#src/domain/users/user.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import type { Csrf } from '../kit/csrf.ts'
import type { SentForm } from '../kit/sentForm.ts'
import { answerBytes } from './attachment.ts'
import { type FormFaults, faultsAt, faultsOf } from './faults.ts'
import { pathOf, showUser, userConfirmation, userPage } from './user.ts'
import { authorsOf, keyOf, revealing, segmentOf, type UserMetadataNeeds } from './userMetadata.ts'
import { fieldsOfValue, valueFormBytes, valueForms, valueIn, viewsOf } from './valueForm.ts'

export interface UserMetadataEntryNeeds extends UserMetadataNeeds {
  /** Makes the address of an image good for the browser that was shown it. */
  readonly csrf: Csrf
}

/** What a form says of the entry that it was made of: its number, or nothing where there was none. */
const expectedIn = (form: SentForm): number | null => (form.raw('sequence') === '' ? null : Number(form.raw('sequence')))

export const userMetadataEntryPages = (needs: UserMetadataEntryNeeds): readonly AreaPage[] => {
  const { metadata, csrf } = needs

  async function find(visit: Visit, user: User): Promise<MetadataEntry | undefined> {
    const key = keyOf(visit.params.key)
    const found =
      key === undefined
        ? []
        : (await metadata.search(user.id, [{ key, method: 'equals' }], { offset: 0, limit: 1, ascending: true })).entries
    return found[0]
  }

  const baseOf = (user: User) => `/console${pathOf(user, '/metadata')}`
  const imagePurpose = ({ session }: Visit, user: User, { key, sequence }: MetadataEntry) =>
    `image:${session.id}:${user.id}:${sequence}:${key}`

  function imageOf(visit: Visit, user: User, entry: MetadataEntry): string | undefined {
    if (guessValue(entry.value).kind !== 'image') return undefined
    const proof = csrf.token(visit.ctx, imagePurpose(visit, user, entry))
    return `${baseOf(user)}/${segmentOf(entry.key)}/image?${new URLSearchParams({ proof })}`
  }

  /** A value to be seen. */
  const revealed = (visit: Visit, user: User, entry: MetadataEntry) => ({ ...viewsOf(entry.value), image: imageOf(visit, user, entry) })

  async function show(visit: Visit, user: User, entry: MetadataEntry, isRevealed: boolean, form?: FormFaults): Promise<void> {
    const { key, value, sequence, createdAt, changedAt } = entry
    const fields = isRevealed ? fieldsOfValue(value) : { value: '', form: 'text' }
    return showUser(needs, visit, user, 'metadata', {
      template: 'userMetadataEntry',
      heading: key,
      entry: { key, sequence, createdAt, changedAt, bytes: value.byteLength, kind: guessValue(value).kind, segment: segmentOf(key) },
      author: (await authorsOf(needs, visit, user, [sequence])).get(sequence),
      ...(isRevealed && { views: revealed(visit, user, entry) }),
      isTooLarge: fields === undefined,
      values: fields ?? {},
      faults: {},
      valueForms,
      ...form,
      ...(form && { status: 400 }),
    })
  }

  const showNew = (visit: Visit, user: User, form?: FormFaults) =>
    showUser(needs, visit, user, 'metadata', {
      template: 'userMetadataNew',
      heading: visit.texts.t('consoleUsers.metadata.add'),
      values: {},
      faults: {},
      valueForms,
      ...form,
      ...(form && { status: 400 }),
    })

  /** Both versions, for the person to choose: nothing was overwritten. */
  async function showConflict(visit: Visit, user: User, mine: KeyValue, current: MetadataEntry | undefined): Promise<void> {
    if (current) await revealing(needs, visit, user, [mine.key])
    return showUser(needs, visit, user, 'metadata', {
      template: 'userMetadataConflict',
      heading: mine.key,
      key: mine.key,
      href: current ? `${baseOf(user)}/${segmentOf(mine.key)}` : baseOf(user),
      segment: segmentOf(mine.key),
      theirs: current && {
        ...revealed(visit, user, current),
        sequence: current.sequence,
        changedAt: current.changedAt,
        author: (await authorsOf(needs, visit, user, [current.sequence])).get(current.sequence),
      },
      values: fieldsOfValue(mine.value) ?? {},
      mine: { bytes: mine.value.byteLength, isTooLarge: fieldsOfValue(mine.value) === undefined },
      faults: {},
      valueForms,
      status: 409,
    })
  }

  /** Writes a value, unless what is there is not what the form was made of. `again` shows the form with what is wrong. */
  async function save(visit: Visit, user: User, key: string, form: SentForm, again: (form: FormFaults) => Promise<void>): Promise<void> {
    const typed = { key, value: form.raw('value'), form: form.raw('form') }
    const sent = valueIn(visit, form)
    if ('fault' in sent) return again(faultsAt(visit, { value: sent.fault }, typed))
    const { t } = visit.texts
    const { byteLength } = sent.value
    const faults = {
      ...((key === '' || [...key].length > metadataLimits.keyCodePoints || !key.isWellFormed()) && {
        key: t('consoleUsers.metadata.keyFault'),
      }),
      ...((byteLength < 1 || byteLength > metadataLimits.valueBytes) && { value: t('consoleUsers.metadata.valueFault') }),
    }
    if (Object.keys(faults).length > 0) return again(faultsAt(visit, faults, typed))
    try {
      await metadata.set(user.id, [{ key, value: sent.value, expectedSequence: expectedIn(form) }], visit.actor)
      visit.go(pathOf(user, '/metadata'), 'saved')
    } catch (error) {
      if (error instanceof MetadataConflict) return showConflict(visit, user, { key, value: sent.value }, error.conflicts[0]?.current)
      await again(faultsOf(visit, error, typed))
    }
  }

  /** A page about an entry that is there. */
  const about = (
    page: Pick<AreaPage, 'method' | 'limitBytes'> & { readonly path: string; readonly permission: string; readonly isForChange?: boolean },
    handle: (visit: Visit, user: User, entry: MetadataEntry, form: SentForm) => Promise<void> | void,
  ) =>
    userPage(needs, {
      ...page,
      async handle(visit, user, form) {
        const entry = await find(visit, user)
        return entry ? handle(visit, user, entry, form) : visit.missing()
      },
    })

  return [
    userPage(needs, {
      method: 'GET',
      path: '/metadata/new',
      permission: 'user.write',
      isForChange: true,
      handle: (visit, user) => showNew(visit, user),
    }),
    userPage(needs, {
      method: 'POST',
      path: '/metadata/new',
      permission: 'user.write',
      limitBytes: valueFormBytes,
      handle: (visit, user, form) => save(visit, user, form.raw('key'), form, (faults) => showNew(visit, user, faults)),
    }),
    about({ method: 'GET', path: '/metadata/:key', permission: 'user.read' }, (visit, user, entry) => show(visit, user, entry, false)),
    userPage(needs, {
      method: 'POST',
      path: '/metadata/:key',
      permission: 'user.write',
      limitBytes: valueFormBytes,
      async handle(visit, user, form) {
        const key = keyOf(visit.params.key)
        if (key === undefined) return visit.missing()
        return save(visit, user, key, form, async (faults) => {
          const entry = await find(visit, user)
          return entry ? show(visit, user, entry, false, faults) : showNew(visit, user, faults)
        })
      },
    }),
    about({ method: 'POST', path: '/metadata/:key/reveal', permission: 'user.read', isForChange: false }, async (visit, user, entry) => {
      await revealing(needs, visit, user, [entry.key])
      await show(visit, user, entry, true)
    }),
    about({ method: 'POST', path: '/metadata/:key/download', permission: 'user.read', isForChange: false }, async (visit, user, entry) => {
      await revealing(needs, visit, user, [entry.key])
      answerBytes(visit.ctx, { bytes: entry.value, name: entry.key })
    }),
    about({ method: 'GET', path: '/metadata/:key/image', permission: 'user.read' }, (visit, user, entry) => {
      const { type } = guessValue(entry.value)
      // To be shown the address is to be shown the image, which is recorded then; nobody else may guess it.
      if (type === undefined || !csrf.accepts(visit.ctx, imagePurpose(visit, user, entry), visit.query('proof'))) return visit.missing()
      return answerBytes(visit.ctx, { bytes: entry.value, type })
    }),
    ...userConfirmation(needs, {
      path: '/metadata/:key/remove/:sequence',
      permission: 'user.write',
      async ask(visit, user) {
        const { t } = visit.texts
        const entry = await find(visit, user)
        return (
          entry && {
            title: t('consoleUsers.metadata.removeTitle', { key: entry.key }),
            what: t('consoleUsers.metadata.removeWhat', { size: visit.texts.bytes(entry.value.byteLength) }),
            submit: t('consoleUsers.metadata.remove'),
            back: `${baseOf(user)}/${segmentOf(entry.key)}`,
          }
        )
      },
      async act(visit, user) {
        const key = keyOf(visit.params.key) ?? ''
        await metadata.remove(user.id, [{ key, expectedSequence: Number(visit.params.sequence) }], visit.actor)
        visit.go(pathOf(user, '/metadata'), 'removed')
      },
    }),
  ]
}
