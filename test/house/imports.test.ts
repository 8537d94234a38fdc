/** The map of DESIGN.md as a table: who may import whom. Types are stripped first, so that only what runs counts. */
import { globSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

/** Rooms by path prefix, the longest first; what each may import beside itself. */
const rooms: readonly (readonly [room: string, may: readonly string[]])[] = [
  ['src/storage/sqlite', ['src/base', 'src/domain']],
  ['src/storage/mongo', ['src/base', 'src/domain']],
  ['src/storage', ['src/base', 'src/domain', 'src/storage/sqlite', 'src/storage/mongo']],
  ['src/http/kit', ['src/base', 'src/platform', 'src/domain']],
  ['src/http', ['src/base', 'src/platform', 'src/domain', 'src/http/kit']],
  ['src/base', []],
  ['src/platform', ['src/base']],
  ['src/domain', ['src/base']],
  ['src/connectors', ['src/base', 'src/domain']],
  ['src/functions', ['src/base', 'src/domain']],
  ['src/engine', ['src/base', 'src/domain']],
  ['src/cli', ['src/base', 'src/domain', 'src/platform', 'src/compose', 'src/main']],
  [
    'src/compose',
    ['src/base', 'src/domain', 'src/platform', 'src/storage', 'src/engine', 'src/connectors', 'src/functions', 'src/http', 'src/http/kit'],
  ],
  ['src/main', ['src/base', 'src/platform', 'src/compose']],
]

/** Packages that belong to certain rooms. Others are free. */
const packages: Readonly<Record<string, readonly string[]>> = {
  koa: ['src/http', 'src/compose'],
  mongodb: ['src/storage/mongo'],
  'oidc-provider': ['src/engine'],
  jose: ['src/engine', 'src/connectors'],
  '@node-rs/argon2': ['src/domain/users'],
  '@node-rs/bcrypt': ['src/domain/users'],
  '@bufbuild/protobuf': ['src/http/zitadel'],
  '@zitadel/proto': ['src/http/zitadel'],
  eta: ['src/http/kit'],
  nodemailer: ['src/connectors'],
  'openid-client': ['src/connectors'],
  mingo: ['src/storage/sqlite'],
  croner: ['src/base'],
  re2js: ['src/base'],
  pino: ['src/platform'],
}

const roomOf = (path: string) =>
  rooms.find(
    ([room]) =>
      path === room || path.startsWith(`${room}/`) || path.startsWith(`${room}.`) || (room === 'src/compose' && path.startsWith(room)),
  )

/** `src/http/interactions` for anything in it: rooms below `http` do not know each other. */
const innerRoom = (path: string) =>
  path.startsWith('src/http/') || path.startsWith('src/domain/') ? path.split('/').slice(0, 3).join('/') : roomOf(path)?.[0]

interface Import {
  readonly from: string
  readonly to: string
}

function importsOf(file: string): readonly Import[] {
  const code = stripTypeScriptTypes(readFileSync(resolve(root, file), 'utf8'))
  const specifiers = [
    ...code.matchAll(
      /(?:^|[\s;])(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]|(?:^|[\s;])import\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g,
    ),
  ]
  return specifiers.map(([, a, b, c]) => ({ from: file, to: (a ?? b ?? c) as string }))
}

const pathOf = ({ from, to }: Import) =>
  to.startsWith('#src/') ? `src/${to.slice(5)}` : to.startsWith('.') ? relative(root, resolve(root, dirname(from), to)) : undefined

const files = globSync('src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.d.ts'))
const imports = files.flatMap(importsOf)

test('every file stands in a room of the map', () => {
  expect(files.filter((file) => !roomOf(file))).toEqual([])
  expect(imports.length).toBeGreaterThan(100)
})

test('no room imports what the map does not allow', () => {
  const wrong = imports.filter((each) => {
    const to = pathOf(each)
    if (to === undefined) return false
    const [from, may] = roomOf(each.from) ?? ['', []]
    const target = roomOf(to)?.[0] ?? to
    const same =
      target === from && (!each.from.startsWith('src/http/') || innerRoom(each.from) === innerRoom(to) || innerRoom(to) === 'src/http/kit')
    return !same && !may.includes(target)
  })
  expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([])
})

test("the rooms of the domain know only each other's types", () => {
  const domainRoom = (path: string) => /^src\/domain\/([^/]+)\//.exec(path)?.[1]
  const wrong = imports.filter((each) => {
    const [from, to] = [domainRoom(each.from), domainRoom(pathOf(each) ?? '')]
    return from !== undefined && to !== undefined && from !== to
  })
  expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([])
})

test('packages stay in the rooms that they belong to', () => {
  const wrong = imports.filter(({ from, to }) => {
    const name = to.startsWith('@') ? to.split('/').slice(0, 2).join('/') : (to.split('/')[0] as string)
    const owners = Object.hasOwn(packages, name) ? packages[name] : undefined
    return owners && !owners.some((owner) => from.startsWith(owner))
  })
  expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([])
})
