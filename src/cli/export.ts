import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { type Format, render } from '#src/domain/provisioning/render.ts'
import { type Command, operandsOf, WrongUsage } from './command.ts'
import { createProgress } from './progress.ts'
import { withDomain } from './withDomain.ts'

export const exportCommand: Command = {
  name: 'export',
  summary: 'Write a configuration file of what is stored, without secrets, to FILE or stdout; YAML unless FILE ends in .json',
  operands: '[FILE]',
  options: { users: { type: 'boolean', help: 'With users and their metadata' } },
  async run(invocation) {
    if (invocation.operands.length > 1) operandsOf(invocation, 'FILE')
    const [path] = invocation.operands
    if (path === '') throw new WrongUsage('FILE is empty')
    const { users, json } = invocation.options
    const format: Format = path === undefined ? (json ? 'json' : 'yaml') : path.endsWith('.json') ? 'json' : 'yaml'
    return withDomain(invocation, async ({ provisioning }) => {
      const pieces = render(await provisioning.export(), format, users === true)
      if (path !== undefined) {
        await writeWhole(path, pieces, invocation.note)
        return { json: { file: path }, text: [`Written to ${path}`] }
      }
      for await (const piece of pieces) invocation.say(piece.replace(/\n$/, ''))
      return undefined
    })
  },
}

/** Writes the file beside its place and moves it there, so that an interrupted export leaves no half of one. It tells about people: mode 0600. */
async function writeWhole(path: string, pieces: AsyncIterable<string>, note: (line: string) => void): Promise<void> {
  const progress = createProgress(note)
  const draft = `${path}.${process.pid}.part`
  const stream = createWriteStream(draft, { mode: 0o600 })
  try {
    await once(stream, 'open')
    let count = 0
    for await (const piece of pieces) {
      if (!stream.write(piece)) await once(stream, 'drain')
      count += 1
      progress(() => `exported ${count} users`)
    }
    stream.end()
    await once(stream, 'finish')
    await rename(draft, path)
  } catch (error) {
    stream.destroy()
    await rm(draft, { force: true })
    throw error
  }
}
