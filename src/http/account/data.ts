import { guessValue } from '#src/domain/metadata/kind.ts'
import type { MetadataEntry } from '#src/domain/metadata/metadata.ts'
import { isSelfManaged } from '#src/domain/metadata/selfManaged.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import type { AccountNeeds } from './account.ts'

const shownCharacters = 400
const shownImageBytes = 6000
const shownDocumentCharacters = 2000
/** Characters that all values, keys and pictures of a page have together, about: a page stays light however much is kept. */
const pageBudget = 20_000
const shownDocuments = 5

/** A value as a person reads it: of one that is long, the beginning. */
export function readableEntry({ key, value, changedAt }: MetadataEntry) {
  const { kind, text, type } = guessValue(value)
  const isShown = type !== undefined && value.byteLength <= shownImageBytes
  return {
    key,
    kind,
    changedAt,
    bytes: value.byteLength,
    text: text?.slice(0, shownCharacters),
    isCut: text !== undefined && text.length > shownCharacters,
    image: isShown ? `data:${type};base64,${Buffer.from(value).toString('base64')}` : undefined,
  }
}

/** As many of the first entries as a page can carry. */
function fitting(entries: readonly ReturnType<typeof readableEntry>[]) {
  let left = pageBudget
  return entries.filter(({ key, text = '', image = '' }) => {
    // The key stands in links and labels, too; around everything is markup.
    left -= 4 * key.length + text.length + image.length + 200
    return left > 0
  })
}

/** A document as a person reads it. */
export function readableJson(document: unknown): { readonly text: string; readonly isCut: boolean } {
  const text = JSON.stringify(document, undefined, 2)
  return { text: text.slice(0, shownDocumentCharacters), isCut: text.length > shownDocumentCharacters }
}

/** `/account/data`: what is kept about somebody beside their profile, and what of it they may change. */
export function dataPages(needs: AccountNeeds): readonly AreaPage[] {
  const { users, catalogue, knownByApps, profiles } = needs
  const patterns = async () => (await catalogue.root()).settings.selfManagedMetadata
  const entriesOf = async (visit: Visit) => (await users.findWithMetadata(visit.user.id))?.metadata ?? []

  async function showForm(visit: Visit, key: string, text: string, problem?: string): Promise<void> {
    const found = await patterns()
    if (found === false || found.length === 0) return visit.missing()
    const trail = [{ href: '/account/data', label: visit.texts.t('account.sections.data') }]
    await visit.show('account/edit-metadata', { trail, key, text, patterns: found, problem }, problem === undefined ? 200 : 400)
  }

  return [
    {
      method: 'GET',
      path: '/data',
      async handle(visit) {
        const [entries, apps, managed] = await Promise.all([entriesOf(visit), knownByApps.list(visit.user), patterns()])
        const shown = fitting(entries.map(readableEntry)).map((entry) => ({ ...entry, isManaged: isSelfManaged(entry.key, managed) }))
        const identities = (visit.user.identities ?? [])
          .slice(0, shownDocuments)
          .map((identity) => ({ ...identity, json: readableJson(identity.data) }))
        const documents = apps.filter(({ document }) => document !== undefined).slice(0, shownDocuments)
        await visit.show('account/data', {
          entries: shown,
          more: entries.length - shown.length,
          mayAdd: managed !== false && managed.length > 0,
          identities,
          documents: documents.map(({ app, document }) => ({ app, json: readableJson(document) })),
        })
      },
    },
    {
      method: 'GET',
      path: '/data/metadata',
      async handle(visit) {
        const key = visit.query('key')
        const entry = key === '' ? undefined : (await entriesOf(visit)).find((each) => each.key === key)
        await showForm(visit, key, entry ? (guessValue(entry.value).text ?? '') : '')
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
          await showForm(visit, key, text, visit.problemOf(error))
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
          await showForm(visit, key, '', visit.problemOf(error))
        }
      },
    },
  ]
}
