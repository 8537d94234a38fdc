import { expect, test } from 'vitest'
import { createMailer } from '#src/connectors/mail.ts'
import type { AccountMail, AccountText } from '#src/domain/accounts/mail.ts'
import type { Organization } from '#src/domain/applications/application.ts'
import { renderMail as render, renderText as renderCode } from '#src/http/account/mail.ts'
import { createMessages } from '#src/http/kit/messages.ts'
import { messagesIn } from '../../support/messages.ts'
import { tempDir } from '../../support/temp.ts'

const messages = createMessages()
const renderMail = (mail: AccountMail, organization: Organization) => render(mail, { messages, organization })
const renderText = (text: AccountText, organization: Organization) => renderCode(text, { messages, organization })
const organization: Organization = { id: 'o', name: 'Acme', primaryDomain: 'acme.example', pairwiseSalt: 's' }
const link = 'https://id.example/a?b=1&c=2'
const kinds: readonly AccountMail[] = [
  ...(['registration', 'addressTaken', 'passwordReset', 'emailConfirmation', 'emailChanged', 'passwordChanged'] as const).map((kind) => ({
    kind,
    to: 'jane@acme.example',
    link,
  })),
  { kind: 'deletionRequested', to: 'jane@acme.example', link, deletionAt: new Date('2027-03-01T12:00:00Z') },
  { kind: 'deleted', to: 'jane@acme.example' },
]

test('every message is there in English and in German, as text and as HTML, with its link and nothing left to fill in', () => {
  for (const mail of kinds) {
    const [english, german] = ['en', 'de-CH'].map((locale) => renderMail({ ...mail, locale }, organization))
    expect(english?.subject).not.toBe(german?.subject)
    for (const rendered of [english, german]) {
      expect(rendered?.to).toBe('jane@acme.example')
      expect(rendered?.subject).toContain('Acme')
      for (const part of [rendered?.subject, rendered?.text, rendered?.html]) expect(part).not.toMatch(/[{}]|undefined|<%/)
      if ('link' in mail) {
        expect(rendered?.text).toContain(`:\n${link}\n`)
        expect(rendered?.html).toContain('href="https://id.example/a?b=1&amp;c=2"')
      } else expect(rendered?.html).not.toContain('href')
    }
    expect(english?.html).toContain('lang="en"')
    expect(german?.html).toContain('lang="de"')
    expect(renderMail({ ...mail, locale: 'fr' }, organization).subject).toBe(english?.subject)
    expect(renderMail(mail, organization).subject).toBe(english?.subject)
  }
  const [deletion] = kinds.filter(({ kind }) => kind === 'deletionRequested')
  expect(renderMail({ ...(deletion as AccountMail), locale: 'de' }, organization).text).toContain('1. März 2027')
  expect(renderText({ to: '+41440000000', code: '123456', locale: 'de' }, organization).text).toMatch(/^Ihr Code für Acme lautet 123456\./)
})

test('the mail of a registration says that there is no account yet', () => {
  const [registration] = kinds as [AccountMail]
  const texts = ['en', 'de'].map((locale) => renderMail({ ...registration, locale }, organization).text)
  expect(texts[0]).toContain('There is no account yet')
  expect(texts[1]).toContain('Das Konto gibt es noch nicht')
  for (const text of texts) expect(text).not.toMatch(/made an account|Konto .*angelegt/)
})

test('a message looks like the organization, and a logo is shown only where it is fetched by https', () => {
  const [mail] = kinds as [AccountMail]
  const looks = (given: { logoUri?: string; accentColor?: string }) => renderMail(mail, { ...organization, ...given }).html
  expect(looks({ logoUri: 'https://acme.example/logo.png' })).toContain('<img src="https://acme.example/logo.png" alt="Acme"')
  for (const logoUri of ['http://localhost/logo.png', 'data:image/png;base64,AAAA']) expect(looks({ logoUri })).not.toContain('<img')
  expect(looks({ accentColor: '#ffee00' })).toContain('background: #ffee00; color: #000000')
  expect(looks({ accentColor: '#003300' })).toContain('background: #003300; color: #ffffff')
  expect(looks({ accentColor: 'red; background: url(https://evil.example)' })).not.toContain('evil')
  expect(looks({})).not.toMatch(/<(style|script|link)\b/)
})

test('what somebody is called or types is no markup, no further header and no further recipient', async () => {
  const directory = tempDir()
  const send = createMailer({ directory, from: 'Dossier <no-reply@id.example>' })
  const evil = { ...organization, name: 'Acme\r\nBcc: evil@evil.example\r\n\r\n<script>alert(1)</script>' }
  await send(renderMail({ kind: 'registration', to: 'a,evil@evil.example', link }, evil))
  await send(renderMail({ kind: 'registration', to: 'jane@acme.example\r\nBcc: evil@evil.example', link }, evil))
  for (const message of messagesIn(directory)) {
    const [headers = '', ...body] = message.split('\n\n')
    expect(headers).not.toMatch(/^(Bcc|Cc):/im)
    expect(headers.match(/^To:/gm)).toHaveLength(1)
    expect(body.join('\n\n')).not.toContain('<script>alert(1)</script></')
  }
  const { html } = renderMail({ kind: 'registration', to: 'jane@acme.example', link }, evil)
  expect(html).not.toContain('<script')
  expect(renderText({ to: '+1', code: '1' }, evil).text).not.toMatch(/[\r\n]/)
})
