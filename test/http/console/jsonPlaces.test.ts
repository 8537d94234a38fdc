/** Where a fault is in JSON that somebody has typed. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readJson } from '#src/http/console/jsonPlaces.ts'

const placeIn = (text: string) => {
  const read = readJson(text)
  return 'fault' in read ? read.fault : 'no fault'
}

test.each([
  ['{"a": 1,\n "b": }', { line: 2, column: 7 }],
  ['{"a" 1}', { line: 1, column: 6 }],
  ['{"a": 1', { line: 1, column: 8 }],
  ['', { line: 1, column: 1 }],
  ['\n\n  x', { line: 3, column: 3 }],
  ['{"a": 1} 2', { line: 1, column: 10 }],
  ['["a\nb"]', { line: 1, column: 4 }],
  ['["\\x"]', { line: 1, column: 3 }],
  ['[01]', { line: 1, column: 3 }],
  ['{"a": 1,}', { line: 1, column: 9 }],
])('%j', (text, place) => {
  expect(placeIn(text)).toEqual(place)
})

test('what JSON.parse takes is taken, with the same value, and nothing else is', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.json().chain((text) => fc.nat(text.length).map((at) => text.slice(0, at) + text.slice(at + 1))),
      ),
      (text) => {
        let parsed: { readonly value: unknown } | undefined
        try {
          parsed = { value: JSON.parse(text) }
        } catch {}
        const read = readJson(text)
        expect('value' in read ? { value: read.value } : undefined).toEqual(parsed)
      },
    ),
    { numRuns: 2000 },
  )
})

test('what is nested too deep is a fault, and no overflow of the stack', () => {
  expect(placeIn('['.repeat(100_000))).toEqual({ line: 1, column: 101 })
})

test('members are told with their lines, also of a name that is there twice', () => {
  const read = readJson('{\n"a": {"inner": 1},\n\n"b": [\n1], "a": 2}')
  expect('members' in read && read.members).toEqual([
    { name: 'a', line: 2 },
    { name: 'b', line: 4 },
    { name: 'a', line: 5 },
  ])
})
