import type { Idp } from './idp.ts'
import { messagesIn } from './messages.ts'

/** The newest message in a folder once there are `count`: they are sent after the answer. */
export async function mailAt(directory: string, count: number): Promise<string> {
  for (let waited = 0; waited < 500; waited += 1) {
    const messages = messagesIn(directory)
    if (messages.length >= count) return messages[count - 1] as string
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`there are ${messagesIn(directory).length} messages, not ${count}`)
}

/** Where a message leads. */
export function linkIn(message: string): string {
  const link = /https?:\/\/\S+/.exec(message)?.[0]
  if (!link) throw new Error(`there is no link in ${message}`)
  return link
}

/** Lets people register, with fields of the organization's own. */
export async function openRegistration({ domain: { catalogue } }: Pick<Idp, 'domain'>, changes: object = {}): Promise<void> {
  const { settings } = await catalogue.root()
  await catalogue.commit({ settings: { ...settings, registration: 'open', ...changes }, events: [] })
}
