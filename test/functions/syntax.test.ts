import { expect, test } from 'vitest'
import { findSyntaxFault } from '#src/functions/syntax.ts'

test('a source that compiles has no fault, and none of it runs', () => {
  for (const source of [
    '',
    'exports = async function (user) { await context.services.get("x") }',
    'throw new Error("never")',
    'exports = 1 // at the end',
    'process.exit(1)',
  ])
    expect(findSyntaxFault(source), source).toBeUndefined()
})

test.each([
  ['exports = function () {\n  retrn 1\n}', { message: 'Unexpected number', line: 2, column: 9 }],
  ['\tlet x = 1;\n\tlet x = 2', { message: "Identifier 'x' has already been declared", line: 2, column: 6 }],
  ['const é = "ü"; let ö ö', { message: "Unexpected identifier 'ö'", line: 1, column: 22 }],
  ['}', { message: "Unexpected token '}'", line: 1, column: 1 }],
  ['}; globalThis.escaped = true; {', { message: "Unexpected token '}'", line: 1, column: 1 }],
  ['import x from "y"', { message: 'Cannot use import statement outside a module', line: 1, column: 1 }],
  // What breaks at our own end of it was not closed.
  ['exports = function () {\n  a()', { message: 'Unexpected end of input', line: 2, column: 6 }],
  ['f(', { message: 'Unexpected end of input', line: 1, column: 3 }],
  ['/* x', { message: 'Invalid or unexpected token', line: 1 }],
])('%j is told with its place', (source, fault) => {
  expect(findSyntaxFault(source)).toEqual(fault)
})

test('a source that is nested too deeply is a fault, and no end of the server', () => {
  expect(findSyntaxFault(`${'('.repeat(200_000)}1${')'.repeat(200_000)}`)?.message).toMatch(/call stack/)
})
