/** Texts: every language has all of them, none is there for nothing, and what a page asks for is there. */
import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { IntlMessageFormat } from 'intl-messageformat'
import { expect, test } from 'vitest'
import { createMessages } from '#src/http/kit/messages.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(resolve(root, file), 'utf8')
const messages = createMessages()

function textsOf(language: string): ReadonlyMap<string, string> {
  const files = globSync(`views/messages/${language}/*.json`, { cwd: root })
  return new Map(
    files.flatMap((file) => {
      const area = file.split('/').at(-1)?.replace('.json', '')
      return Object.entries(JSON.parse(read(file)) as Record<string, string>).map(([key, text]) => [`${area}.${key}`, text] as const)
    }),
  )
}

const english = textsOf('en')
const areas = [...new Set([...english.keys()].map((key) => key.split('.')[0]))].join('|')

/** Keys that stand in the code: whole, or with `${…}` for a part that is known only when it runs. */
const asked = [...globSync('src/**/*.ts', { cwd: root }), ...globSync('views/**/*.eta', { cwd: root })].flatMap((file) => {
  const found = read(file).matchAll(new RegExp(`['"\`]((?:${areas})\\.[^'"\`\\s]+)['"\`]`, 'g'))
  return [...found].map(([, key = '']) => ({ file, key }))
})
/** Areas whose keys are made of what happened: codes of errors, and what was done. */
const byName = /^(?:problem|done)\./
const patternOf = (key: string) =>
  new RegExp(
    `^${key
      .split(/\$\{[^}]*\}/)
      .map((part) => part.replace(/[.*+?^$()|[\]\\]/g, '\\$&'))
      .join('.+')}$`,
  )

test('every language has every text, and no other', () => {
  for (const language of messages.languages) {
    const texts = textsOf(language)
    expect([...texts.keys()].toSorted(), language).toEqual([...english.keys()].toSorted())
    expect(
      [...texts].filter(([, text]) => text.trim() === '').map(([key]) => key),
      language,
    ).toEqual([])
  }
})

test('what pages ask for is there', () => {
  const missing = asked.filter(({ key }) => !key.includes('${') && !english.has(key) && !/\.(?:json|js)$/.test(key))
  expect(missing.map(({ file, key }) => `${key} in ${file}`)).toEqual([])
})

test('no text is there that nobody asks for', () => {
  const whole = new Set(asked.map(({ key }) => key))
  const patterns = asked.filter(({ key }) => key.includes('${')).map(({ key }) => patternOf(key))
  const unused = [...english.keys()].filter((key) => !byName.test(key) && !whole.has(key) && !patterns.some((pattern) => pattern.test(key)))
  expect(unused.filter((key) => !key.startsWith('problems.') || !isSentence(key))).toEqual([])
})

test('a text takes the same facts in every language', () => {
  for (const [key, text] of english) {
    for (const language of messages.languages) {
      expect(factsIn(textsOf(language).get(key) ?? ''), `${language} ${key}`).toEqual(factsIn(text))
    }
  }
})

/** The names in braces, also those within plurals. */
function factsIn(text: string): readonly string[] {
  const names = new Set<string>()
  const walk = (elements: ReturnType<IntlMessageFormat['getAst']>) => {
    for (const element of elements) {
      // Literal text, and the sign that stands for the number of a plural, name nothing.
      if (element.type !== 0 && 'value' in element) names.add(element.value)
      if ('options' in element) for (const { value } of Object.values(element.options)) walk(value)
    }
  }
  walk(new IntlMessageFormat(text, 'en', undefined, { ignoreTag: true }).getAst())
  return [...names].toSorted()
}

/** Sentences of problems are named where the problem is made, without their area. */
function isSentence(key: string): boolean {
  const name = key.slice('problems.'.length)
  const source = globSync('src/**/*.ts', { cwd: root }).map(read).join('\n')
  return source.includes(`sentence: '${name}'`) || source.includes(`'${name.replace(/^title\./, '')}'`)
}
