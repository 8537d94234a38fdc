/**
 * The texts of pages and mail, in every language that there is a folder for: `views/messages/de/console.json` has the German texts whose keys begin with
 * `console.`. A text is ICU MessageFormat, which knows plurals, numbers and dates.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { IntlMessageFormat } from 'intl-messageformat'
import type { Context } from 'koa'
import type { RequestState } from './context.ts'

const folder = new URL('../../../views/messages/', import.meta.url)

type Fact = string | number | boolean | Date | null | undefined
export type Facts = Readonly<Record<string, Fact>>

/** Everything that is said in one language. */
export interface Texts {
  /** A tag of BCP 47, for `lang`. */
  readonly language: string
  /** The text of a key. @throws TypeError when no language has it */
  readonly t: (key: string, facts?: Facts) => string
  /**
   * The text of a key as HTML: facts are escaped, `<strong>`, `<code>` and `<em>` in the text are kept, and `<NAME>` becomes a link to what `links` has under NAME.
   * @throws TypeError when no language has it
   */
  readonly rich: (key: string, facts?: Facts, links?: Readonly<Record<string, string>>) => string
  readonly has: (key: string) => boolean
  /** A moment with day and time, in UTC. */
  readonly moment: (date: Date) => string
  readonly day: (date: Date) => string
  /** A day with the name of its month, for a sentence. */
  readonly long: (date: Date) => string
  readonly number: (value: number) => string
  /** An amount of bytes in a unit that suits it. */
  readonly bytes: (value: number) => string
}

const fallback = 'en'
const keptTags = ['strong', 'code', 'em'] as const

type Messages = ReadonlyMap<string, string>

function read(language: string): Messages {
  const files = readdirSync(new URL(`${language}/`, folder)).filter((name) => name.endsWith('.json'))
  const entries = files.flatMap((name) => {
    const texts = JSON.parse(readFileSync(new URL(`${language}/${name}`, folder), 'utf8')) as Readonly<Record<string, string>>
    return Object.entries(texts).map(([key, text]) => [`${name.slice(0, -'.json'.length)}.${key}`, text] as const)
  })
  return new Map(entries)
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => escapes[character] as string)

/** Made when it is first asked for: formats are larger than all texts together, and a start has no use for them. */
function lazy<T extends object>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}

function textsOf(language: string, messages: Messages, otherwise: Messages): Texts {
  const plain = new Map<string, IntlMessageFormat>()
  const withTags = new Map<string, IntlMessageFormat>()

  function formatOf(kept: Map<string, IntlMessageFormat>, key: string, ignoreTag: boolean): IntlMessageFormat {
    const known = kept.get(key)
    if (known) return known
    const text = messages.get(key) ?? otherwise.get(key)
    if (text === undefined) throw new TypeError(`there is no text under ${JSON.stringify(key)}`)
    const made = new IntlMessageFormat(text, language, { date: {}, time: {} }, { ignoreTag })
    kept.set(key, made)
    return made
  }

  const dates = (options: Intl.DateTimeFormatOptions) => lazy(() => new Intl.DateTimeFormat(language, { ...options, timeZone: 'UTC' }))
  const moments = dates({ dateStyle: 'medium', timeStyle: 'short' })
  const days = dates({ dateStyle: 'medium' })
  const longDays = dates({ dateStyle: 'long' })
  const numbers = lazy(() => new Intl.NumberFormat(language))
  const byteUnits = ['byte', 'kilobyte', 'megabyte', 'gigabyte'].map((unit) => {
    const unitDisplay = unit === 'byte' ? 'long' : 'short'
    return lazy(() => new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay, maximumFractionDigits: 1 }))
  })

  return {
    language,
    t: (key, facts) => String(formatOf(plain, key, true).format(facts as never)),
    rich(key, facts = {}, links = {}) {
      const escaped = Object.entries(facts).map(([name, fact]) => [name, typeof fact === 'string' ? escapeHtml(fact) : fact] as const)
      const tags = keptTags.map((tag) => [tag, (inner: readonly string[]) => `<${tag}>${inner.join('')}</${tag}>`] as const)
      const anchors = Object.entries(links).map(
        ([name, href]) => [name, (inner: readonly string[]) => `<a href="${escapeHtml(href)}">${inner.join('')}</a>`] as const,
      )
      return String(formatOf(withTags, key, false).format(Object.fromEntries([...escaped, ...tags, ...anchors]) as never))
    },
    has: (key) => messages.has(key) || otherwise.has(key),
    moment: (date) => `${moments().format(date)} UTC`,
    day: (date) => days().format(date),
    long: (date) => longDays().format(date),
    number: (value) => numbers().format(value),
    bytes(value) {
      const power = value < 1000 ? 0 : Math.min(byteUnits.length - 1, Math.floor(Math.log10(value) / 3))
      return (byteUnits[power] as () => Intl.NumberFormat)().format(value / 1000 ** power)
    },
  }
}

export interface MessageTexts {
  readonly languages: readonly string[]
  /** The texts in the first of `wanted` languages (BCP 47 tags, the best first) that there is, or in English. */
  in(wanted: readonly string[]): Texts
  /** The texts for whoever sent a request: by `ui_locales` of what they came with, or by their browser's languages. */
  for(ctx: Context): Texts
}

/** Reads every text there is. */
export function createMessages(): MessageTexts {
  const names = readdirSync(folder, { withFileTypes: true }).filter((each) => each.isDirectory())
  const known = new Map(names.map(({ name }) => [name, read(name)]))
  const english = known.get(fallback) as Messages
  const all = new Map([...known].map(([name, messages]) => [name, textsOf(name, messages, english)]))
  const languages = [fallback, ...[...all.keys()].filter((name) => name !== fallback).toSorted()]

  const find = (wanted: readonly string[]) =>
    wanted.map((tag) => all.get(tag.toLowerCase().split('-')[0] as string)).find((texts) => texts !== undefined)
  const inWanted = (wanted: readonly string[]) => find(wanted) ?? (all.get(fallback) as Texts)

  return {
    languages,
    in: inWanted,
    for(ctx) {
      const { uiLocales = ctx.query?.ui_locales } = ctx.state as RequestState
      const asked = typeof uiLocales === 'string' ? find(uiLocales.split(' ').slice(0, 20)) : undefined
      return asked ?? inWanted([ctx.acceptsLanguages(languages as string[]) || fallback])
    },
  }
}
