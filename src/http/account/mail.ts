import type { AccountMail, AccountText } from '#src/domain/accounts/mail.ts'
import type { Organization } from '#src/domain/applications/application.ts'
import { type LinkMail, oneLine, type RenderedMail, renderLinkMail } from '../kit/mail.ts'
import { languageOf, wordsIn } from './words.ts'

/** What a message about an account says, in the language of whom it is for, as the organization looks. */
export function renderMail(mail: AccountMail, organization: Organization): RenderedMail {
  const language = languageOf(mail.locale)
  const words = wordsIn(language).mail[mail.kind]
  const facts = {
    organization: organization.name,
    ...(mail.kind === 'deletionRequested' && { date: dayOf(mail.deletionAt, language) }),
  }
  const told: LinkMail = {
    to: mail.to,
    language,
    look: organization,
    subject: filled(words.subject, facts),
    opening: filled(words.opening, facts),
    closing: filled(words.closing, facts),
    ...('link' in mail && words.action !== undefined && { link: mail.link, action: words.action }),
  }
  return renderLinkMail(told)
}

/** What a text message says. */
export function renderText({ to, locale, code }: AccountText, organization: Organization): { readonly to: string; readonly text: string } {
  return { to, text: oneLine(filled(wordsIn(languageOf(locale)).code, { organization: organization.name, code })) }
}

const dayOf = (at: Date, language: string) => new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' }).format(at)

const filled = (text: string, facts: Readonly<Record<string, string>>) => text.replace(/\{(\w+)\}/g, (whole, name) => facts[name] ?? whole)
