/**
 * Mail: by SMTP, or into a folder of `.eml` files where no server is configured, so that whoever tries Dossier can read what it would have sent. Knows what a message is and not
 * what it says.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newObjectId } from '#src/base/ids.ts'

interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
}

export interface MailerOptions {
  /** `smtp://user:password@host:587` or `smtps://…`; without it messages go into `directory`. */
  readonly smtpUrl?: string | undefined
  readonly directory: string
  /** Who sends, as an address or `Name <address>`. */
  readonly from: string
}

/** Sends a message, or throws what kept it. */
export type SendMail = (mail: Mail) => Promise<void>

export function createMailer({ smtpUrl, directory, from }: MailerOptions): SendMail {
  const messageOf = ({ to, subject, text, html }: Mail) => ({
    from,
    // One address, not a list to be taken apart: what stands before an @ may have commas in it.
    to: { name: '', address: to },
    subject,
    text,
    html,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  if (smtpUrl !== undefined) {
    const timeouts = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 }
    const openTransport = async () => (await library()).createTransport(smtpUrl, timeouts as never)
    let opened: ReturnType<typeof openTransport> | undefined
    return async (mail) => {
      opened ??= openTransport()
      await (await opened).sendMail(messageOf(mail))
    }
  }
  return async (mail) => {
    const transport = (await library()).createTransport({ streamTransport: true, buffer: true, newline: 'unix' })
    const { message } = await transport.sendMail(messageOf(mail))
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const path = join(directory, `${new Date().toISOString().replaceAll(':', '-')}-${newObjectId().slice(-6)}.eml`)
    // Whole or not at all: somebody may be watching the folder.
    await writeFile(`${path}.part`, message as Buffer, { mode: 0o600 })
    await rename(`${path}.part`, path)
  }
}

/** Large, and not loaded before there is something to write. */
const library = () => import('nodemailer')
