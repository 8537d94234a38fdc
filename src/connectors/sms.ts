/**
 * Text messages: to a gateway of the operator's, or into a folder of `.txt` files where none is configured. Knows what a message is and not what it says.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newObjectId } from '#src/base/ids.ts'

interface TextMessage {
  /** A phone number: `+` and digits. */
  readonly to: string
  readonly text: string
}

export interface TextMessagesOptions {
  /** Gets `POST` with `{"to", "text"}`, and what stands before `@` as HTTP Basic credentials. Without it messages go into `directory`. */
  readonly url?: string | undefined
  readonly directory: string
  readonly fetch: (url: string, options: RequestInit & { readonly timeoutMs?: number }) => Promise<Response>
}

/** Sends a message, or throws what kept it. */
export type SendText = (message: TextMessage) => Promise<void>

export function createTextMessages({ url, directory, fetch }: TextMessagesOptions): SendText {
  if (url === undefined) {
    return async ({ to, text }) => {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const path = join(directory, `${new Date().toISOString().replaceAll(':', '-')}-${newObjectId().slice(-6)}.txt`)
      // Whole or not at all: somebody may be watching the folder.
      await writeFile(`${path}.part`, `To: ${to}\n\n${text}\n`, { mode: 0o600 })
      await rename(`${path}.part`, path)
    }
  }
  const address = new URL(url)
  const { username, password } = address
  address.username = ''
  address.password = ''
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  const headers = {
    'content-type': 'application/json',
    ...(username !== '' && { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }),
  }
  return async ({ to, text }) => {
    const reply = await fetch(address.href, {
      method: 'POST',
      headers,
      body: JSON.stringify({ to, text }),
      redirect: 'error',
      timeoutMs: 10_000,
    })
    await reply.body?.cancel()
    if (!reply.ok) throw new Error(`the gateway for text messages answered ${reply.status}`)
  }
}
