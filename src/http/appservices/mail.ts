import type { AppMail } from '#src/domain/apps/providers/emailPassword.ts'
import { type RenderedMail, renderLinkMail } from '../kit/mail.ts'

const words = {
  confirm: {
    subject: (app: string) => `Confirm your address for ${app}`,
    opening: (app: string) => `Somebody registered for ${app} with this address.`,
    action: 'Confirm the address',
    closing: 'The link is good for half an hour. If it was not you, there is nothing to do.',
  },
  reset: {
    subject: (app: string) => `A new password for ${app}`,
    opening: (app: string) => `Somebody asked for a new password for ${app}.`,
    action: 'Choose a new password',
    closing: 'The link is good for half an hour. If it was not you, there is nothing to do: the password stays as it is.',
  },
} as const

/** What an app's message says. */
export function renderAppMail({ kind, to, app, subject, link }: AppMail): RenderedMail {
  const { subject: own, opening, action, closing } = words[kind]
  return renderLinkMail({ to, subject: subject ?? own(app), opening: opening(app), action, link, closing })
}
