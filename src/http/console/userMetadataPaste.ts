/** `/console/users/{id}/metadata/paste`: many values at once, all or none of them. */
import { MetadataConflict } from '#src/domain/metadata/metadata.ts'
import type { User } from '#src/domain/users/user.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { editable } from '../kit/pageWeight.ts'
import type { SentForm } from '../kit/sentForm.ts'
import { type PasteFault, readPaste } from './metadataPaste.ts'
import { pathOf, showUser, userPage } from './user.ts'
import type { UserMetadataNeeds } from './userMetadata.ts'
import { valueFormBytes } from './valueForm.ts'

const shownFaults = 50

export const userMetadataPastePages = (needs: UserMetadataNeeds): readonly AreaPage[] => {
  const { metadata } = needs

  const show = (visit: Visit, user: User, given = '', faults?: readonly PasteFault[], problem?: string) => {
    const { text, isLeftOut } = editable(given)
    return showUser(needs, visit, user, 'metadata', {
      template: 'userMetadataPaste',
      heading: visit.texts.t('consoleUsers.paste.link'),
      values: { text },
      isLeftOut,
      faults: {},
      ...(faults && {
        lines: faults.slice(0, shownFaults).map(({ line, reason, key = '' }) => ({
          line,
          what: visit.texts.t(`consoleUsers.paste.${reason}`, { key: key.length > 60 ? `${key.slice(0, 60)}…` : key }),
        })),
        more: Math.max(0, faults.length - shownFaults),
        problem: problem ?? visit.texts.t('consoleUsers.paste.refused', { count: faults.length }),
        status: 400,
      }),
    })
  }

  async function save(visit: Visit, user: User, form: SentForm): Promise<void> {
    const text = form.file('file')?.bytes.toString('utf8') ?? form.raw('text')
    const { entries, faults } = readPaste(text)
    if (faults.length > 0) return show(visit, user, text, faults)
    const replaces = form.raw('replaces') === 'yes'
    try {
      await metadata.set(
        user.id,
        entries.map(({ key, value }) => ({ key, value, ...(!replaces && { expectedSequence: null }) })),
        visit.actor,
      )
      visit.go(pathOf(user, '/metadata'), 'saved')
    } catch (error) {
      if (!(error instanceof MetadataConflict)) return show(visit, user, text, [], visit.problemOf(error))
      const lines = new Map(entries.map(({ key, line }) => [key, line]))
      await show(
        visit,
        user,
        text,
        error.conflicts.map(({ key }) => ({ line: lines.get(key) ?? 1, reason: 'isThere', key })),
      )
    }
  }

  const shared = { path: '/metadata/paste', permission: 'user.write' } as const
  return [
    userPage(needs, { ...shared, method: 'GET', isForChange: true, handle: (visit, user) => show(visit, user) }),
    userPage(needs, { ...shared, method: 'POST', limitBytes: valueFormBytes, handle: save }),
  ]
}
