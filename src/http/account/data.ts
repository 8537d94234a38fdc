import { guessValue } from '#src/domain/metadata/kind.ts'
import { isSelfManaged } from '#src/domain/metadata/selfManaged.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { editable } from '../kit/pageWeight.ts'
import type { AccountNeeds } from './account.ts'
import { readableData } from './readable.ts'

/** Longer keys do not exist. */
const longestKey = 200

/** `/account/data`: what is kept about somebody beside their profile, and what of it they may change. */
export function dataPages(needs: AccountNeeds): readonly AreaPage[] {
  const { users, catalogue, knownByApps, profiles } = needs
  const patterns = async () => (await catalogue.root()).settings.selfManagedMetadata
  const entriesOf = async (visit: Visit) => (await users.findWithMetadata(visit.user.id))?.metadata ?? []

  /** The form. What would make it heavy is left out, and said to be; so is a value that is no text. */
  async function showForm(
    visit: Visit,
    given: string,
    { typed = '', isText = true }: { typed?: string | undefined; isText?: boolean },
    problem?: string,
  ): Promise<void> {
    const found = await patterns()
    if (found === false || found.length === 0) return visit.missing()
    const trail = [{ href: '/account/data', label: visit.texts.t('account.sections.data') }]
    const [key, { text, isLeftOut }] = [given.slice(0, longestKey), editable(typed)]
    const facts = { trail, key, text, isLeftOut, isText, patterns: found, problem }
    await visit.show('account/edit-metadata', facts, problem === undefined ? 200 : 400)
  }

  return [
    {
      method: 'GET',
      path: '/data',
      async handle(visit) {
        const [entries, apps, managed] = await Promise.all([entriesOf(visit), knownByApps.list(visit.user), patterns()])
        const shown = readableData(visit.user, entries, apps)
        await visit.show('account/data', {
          ...shown,
          entries: shown.entries.map((entry) => ({ ...entry, isManaged: isSelfManaged(entry.key, managed) })),
          mayAdd: managed !== false && managed.length > 0,
        })
      },
    },
    {
      method: 'GET',
      path: '/data/metadata',
      async handle(visit) {
        const key = visit.query('key')
        const entry = key === '' ? undefined : (await entriesOf(visit)).find((each) => each.key === key)
        const typed = entry && guessValue(entry.value).text
        await showForm(visit, key, { typed, isText: !entry || typed !== undefined })
      },
    },
    {
      method: 'POST',
      path: '/data/metadata',
      limitBytes: 2_000_000,
      async handle(visit, form) {
        const [key, text] = [form.text('key'), form.raw('value')]
        try {
          await profiles.setMetadata(visit.user.id, { key, value: Buffer.from(text.replaceAll('\r\n', '\n')) })
          visit.go('/data', 'saved')
        } catch (error) {
          await showForm(visit, key, { typed: text }, visit.problemOf(error))
        }
      },
    },
    {
      method: 'POST',
      path: '/data/metadata/remove',
      async handle(visit, form) {
        const key = form.raw('key')
        try {
          await profiles.removeMetadata(visit.user.id, key)
          visit.go('/data', 'removed')
        } catch (error) {
          await showForm(visit, key, {}, visit.problemOf(error))
        }
      },
    },
  ]
}
