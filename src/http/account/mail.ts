import type { AccountMail, AccountText } from '#src/domain/accounts/mail.ts'
import type { Organization } from '#src/domain/applications/application.ts'
import { oneLine, type RenderedMail, renderLinkMail } from '../kit/mail.ts'
import type { MessageTexts } from '../kit/messages.ts'

/** How messages about accounts are written. */
export interface Writing {
  readonly messages: Pick<MessageTexts, 'in'>
  readonly organization: Organization
}

/** What a message about an account says, in the language of whom it is for, as the organization looks. */
export function renderMail(mail: AccountMail, { messages, organization }: Writing): RenderedMail {
  const { language, t, long } = messages.in(mail.locale === undefined ? [] : [mail.locale])
  const facts = {
    organization: oneLine(organization.name),
    ...(mail.kind === 'deletionRequested' && { date: long(mail.deletionAt) }),
  }
  return renderLinkMail({
    to: mail.to,
    language,
    look: organization,
    subject: t(`mail.${mail.kind}.subject`, facts),
    opening: t(`mail.${mail.kind}.opening`, facts),
    closing: t(`mail.${mail.kind}.closing`, facts),
    ...('link' in mail && { link: mail.link, action: t(`mail.${mail.kind}.action`) }),
  })
}

/** What a text message says. */
export function renderText(
  { to, locale, code }: AccountText,
  { messages, organization }: Writing,
): { readonly to: string; readonly text: string } {
  const { t } = messages.in(locale === undefined ? [] : [locale])
  return { to, text: oneLine(t('mail.code', { organization: organization.name, code })) }
}
