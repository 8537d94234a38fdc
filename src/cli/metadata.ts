import { readFileSync, writeFileSync } from 'node:fs'
import { metadataLimits } from '#src/domain/metadata/metadata.ts'
import { printableText } from '#src/domain/provisioning/printable.ts'
import { type Command, type Invocation, operandsOf, optionOf, WrongUsage } from './command.ts'
import { metadataJson, metadataLines } from './metadataEntry.ts'
import { actor, getUser, withDomain } from './withDomain.ts'

export const metadataListCommand: Command = {
  name: 'metadata list',
  summary: 'All metadata of a user, oldest first; USER is an id or a username',
  operands: 'USER',
  options: {},
  async run(invocation) {
    const [name] = operandsOf(invocation, 'USER')
    return withDomain(invocation, async (domain) => {
      const { id, username } = await getUser(domain, name)
      const { entries } = await domain.metadata.search(id, [], { offset: 0, limit: metadataLimits.keys, ascending: true })
      const text = entries.length === 0 ? [`${username} has no metadata`] : metadataLines(entries)
      return { json: { metadata: entries.map(metadataJson) }, text }
    })
  },
}

export const metadataGetCommand: Command = {
  name: 'metadata get',
  summary: 'One value: as text where it is text, otherwise in base64',
  operands: 'USER KEY',
  options: {
    base64: { type: 'boolean', help: 'In base64 also where it is text' },
    file: { type: 'string', value: 'PATH', help: 'Write the bytes to a file' },
  },
  async run(invocation) {
    const [name, key] = operandsOf(invocation, 'USER', 'KEY')
    const path = optionOf(invocation, 'file')
    return withDomain(invocation, async (domain) => {
      const entry = await domain.metadata.get((await getUser(domain, name)).id, key)
      if (path !== undefined) writeFileSync(path, entry.value)
      const text = invocation.options.base64 ? undefined : printableText(entry.value)
      const shown = text ?? Buffer.from(entry.value).toString('base64')
      return { json: metadataJson(entry), text: [path === undefined ? shown : `${entry.value.byteLength} bytes written to ${path}`] }
    })
  },
}

export const metadataSetCommand: Command = {
  name: 'metadata set',
  summary: 'Set one value; text is stored as UTF-8. A value that begins with a hyphen follows after --',
  operands: 'USER KEY [VALUE]',
  options: {
    base64: { type: 'boolean', help: 'VALUE is base64' },
    file: { type: 'string', value: 'PATH', help: 'Take the bytes of a file, or of stdin when PATH is -' },
  },
  async run(invocation) {
    const { name, key, value } = wantedOf(invocation)
    return withDomain(invocation, async (domain) => {
      const { id, username } = await getUser(domain, name)
      await domain.metadata.set(id, [{ key, value }], actor)
      const entry = await domain.metadata.get(id, key)
      return { json: metadataJson(entry), text: [`${username} has ${key} (${value.byteLength} bytes)`] }
    })
  },
}

/** @throws WrongUsage */
function wantedOf(invocation: Invocation): { readonly name: string; readonly key: string; readonly value: Uint8Array } {
  const path = optionOf(invocation, 'file')
  if (path !== undefined) {
    const [name, key] = operandsOf(invocation, 'USER', 'KEY')
    if (invocation.options.base64) throw new WrongUsage('give --base64 with a VALUE, or --file, not both')
    return { name, key, value: readFileSync(path === '-' ? 0 : path) }
  }
  const [name, key, text] = operandsOf(invocation, 'USER', 'KEY', 'VALUE')
  if (!invocation.options.base64) return { name, key, value: Buffer.from(text, 'utf8') }
  const value = Buffer.from(text, 'base64')
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text) || value.byteLength !== Math.floor((text.replace(/=+$/, '').length * 3) / 4)) {
    throw new WrongUsage('VALUE is not base64')
  }
  return { name, key, value }
}

export const metadataRemoveCommand: Command = {
  name: 'metadata remove',
  summary: 'Remove one value',
  operands: 'USER KEY',
  options: {},
  async run(invocation) {
    const [name, key] = operandsOf(invocation, 'USER', 'KEY')
    return withDomain(invocation, async (domain) => {
      const { id, username } = await getUser(domain, name)
      await domain.metadata.remove(id, [key], actor)
      return { json: { key, removed: true }, text: [`${username} has no ${key} any more`] }
    })
  },
}
