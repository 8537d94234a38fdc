import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The messages in a folder, oldest first, without what mail puts around long lines. */
export const messagesIn = (directory: string): readonly string[] =>
  readdirSync(directory)
    .filter((name) => /\.(eml|txt)$/.test(name))
    .toSorted()
    .map((name) => decoded(readFileSync(join(directory, name), 'utf8')))

/** Quoted-printable as the text that it stands for. */
const decoded = (message: string) =>
  message.includes('Content-Transfer-Encoding: quoted-printable')
    ? Buffer.from(
        message.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16))),
        'latin1',
      ).toString('utf8')
    : message
