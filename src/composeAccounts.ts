/** Compose, accounts: what people do about themselves, over a domain, with mail and text messages. */
import { createHmac } from 'node:crypto'
import { wholeMatcher } from '#src/base/patterns.ts'
import { createMailer } from '#src/connectors/mail.ts'
import { createTextMessages } from '#src/connectors/sms.ts'
import type { AccountAddresses } from '#src/domain/accounts/accounts.ts'
import { createAfterwards } from '#src/domain/accounts/afterwards.ts'
import { createContacts } from '#src/domain/accounts/contacts.ts'
import { createDeletions } from '#src/domain/accounts/deletion.ts'
import { createLinks } from '#src/domain/accounts/links.ts'
import type { AccountMail, AccountText } from '#src/domain/accounts/mail.ts'
import { createPasswordReset } from '#src/domain/accounts/passwordReset.ts'
import { createProfiles } from '#src/domain/accounts/profile.ts'
import { createRegistration } from '#src/domain/accounts/registration.ts'
import { assertAcceptable } from '#src/domain/metadata/metadata.ts'
import { isSelfManaged } from '#src/domain/metadata/selfManaged.ts'
import { passwordFault } from '#src/domain/users/passwords.ts'
import { hashSecret } from '#src/domain/users/secrets.ts'
import { assertAcceptableProfile, comparable, isActive, isLeaving, type User } from '#src/domain/users/user.ts'
import { assertAcceptableUsername } from '#src/domain/users/users.ts'
import { renderMail, renderText } from '#src/http/account/mail.ts'
import type { MessageTexts } from '#src/http/kit/messages.ts'
import type { Configuration } from '#src/platform/config.ts'
import type { Domain } from './composeDomain.ts'

export interface AccountsParts {
  readonly configuration: Configuration
  readonly domain: Domain
  readonly messages: MessageTexts
  /** Calls out, to nothing private. */
  readonly outboundFetch: (url: string, options: RequestInit & { readonly timeoutMs?: number }) => Promise<Response>
  readonly isAdministrator: (user: User) => boolean
  /** Told of a message that could not be sent: whoever asked has their answer already. */
  readonly onFault: (error: unknown) => void
}

export type Accounts = ReturnType<typeof composeAccounts>

export function composeAccounts({ configuration, domain, messages, outboundFetch, isAdministrator, onFault }: AccountsParts) {
  const { stores, users, passwords, checkPassword, throttle, metadata, catalogue, sealer, lock: exclusively, now } = domain
  const { artifacts } = stores
  const directory = configuration.mailDirectory
  const send = createMailer({ smtpUrl: configuration.DOSSIER_SMTP_URL, directory, from: configuration.DOSSIER_MAIL_FROM })
  const sendMessage = createTextMessages({ url: configuration.DOSSIER_SMS_URL, directory, fetch: outboundFetch })
  const [codeKey = Buffer.alloc(0)] = sealer.derive('phone codes')
  const afterwards = createAfterwards({ onFault })
  const writing = async () => ({ messages, organization: (await catalogue.root()).organization })
  const shared = {
    settings: async () => (await catalogue.root()).settings,
    users,
    passwords,
    checkPassword,
    throttle,
    metadata,
    artifacts,
    links: createLinks({ artifacts, hash: hashSecret, now }),
    afterwards,
    sendMail: async (mail: AccountMail) => send(renderMail(mail, await writing())),
    sendText: async (text: AccountText) => sendMessage(renderText(text, await writing())),
    textsPerHour: configuration.DOSSIER_SMS_PER_HOUR,
    addresses: accountAddresses(configuration.DOSSIER_ISSUER),
    exclusively,
    comparable,
    hash: hashSecret,
    passwordFault,
    isLeaving,
    now,
  }
  return {
    registration: createRegistration({
      ...shared,
      assertUsername: assertAcceptableUsername,
      assertMetadata: assertAcceptable,
      matcherOf: wholeMatcher,
    }),
    passwordReset: createPasswordReset({ ...shared, mayReturn: (user) => isActive(user) || isLeaving(user) }),
    contacts: createContacts({ ...shared, seal: (code) => createHmac('sha256', codeKey).update(code).digest('base64url') }),
    profiles: createProfiles({ ...shared, isSelfManaged, assertProfile: assertAcceptableProfile }),
    deletions: createDeletions({ ...shared, isAdministrator, browse: domain.browsing.browse }),
    /** When every message that was asked for is sent. */
    settled: afterwards.settled,
  }
}

/** The pages that messages lead to. Secrets stand in the query, which is in no log. */
function accountAddresses(issuer: string): AccountAddresses {
  const withLink = (path: string) => (secret: string) => `${issuer}${path}?link=${secret}`
  return {
    account: `${issuer}/account`,
    signIn: `${issuer}/account`,
    confirmRegistration: withLink('/register/confirm'),
    requestReset: `${issuer}/reset`,
    reset: withLink('/reset/password'),
    confirmEmail: withLink('/account/email/confirm'),
  }
}
