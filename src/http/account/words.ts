import type { AccountMail } from '#src/domain/accounts/mail.ts'

export interface MailWords {
  readonly subject: string
  readonly opening: string
  /** What the link does; without it there is none. */
  readonly action?: string
  readonly closing: string
}

export interface Words {
  readonly mail: Readonly<Record<AccountMail['kind'], MailWords>>
  readonly code: string
}

const en: Words = {
  mail: {
    registration: {
      subject: 'Confirm your address for {organization}',
      opening: 'Somebody made an account at {organization} with this address.',
      action: 'Confirm the address',
      closing: 'The link is good for one hour. If it was not you, there is nothing to do: without the link there is no account.',
    },
    addressTaken: {
      subject: 'You have an account at {organization} already',
      opening:
        'Somebody asked {organization} to use this address for an account. There is one with this address already, and nothing has changed.',
      action: 'Sign in',
      closing: 'If you do not know the password any more, you can ask for another one there. If it was not you, there is nothing to do.',
    },
    passwordReset: {
      subject: 'A new password for {organization}',
      opening: 'Somebody asked for a new password for your account at {organization}.',
      action: 'Choose a new password',
      closing: 'The link is good for one hour, and once. If it was not you, there is nothing to do: the password stays as it is.',
    },
    emailConfirmation: {
      subject: 'Confirm your new address for {organization}',
      opening: 'This address is to be that of an account at {organization}.',
      action: 'Confirm the address',
      closing: 'The link is good for one hour. If it was not you, there is nothing to do: the account keeps the address that it has.',
    },
    emailChanged: {
      subject: 'Your address at {organization} was changed',
      opening: 'Your account at {organization} has another e-mail address now, and this one is used no more.',
      action: 'Look at your account',
      closing: 'If it was not you, tell the people who run {organization} at once.',
    },
    passwordChanged: {
      subject: 'Your password for {organization} was changed',
      opening: 'Your account at {organization} has another password now, and every device was signed out.',
      action: 'Choose another password',
      closing: 'If it was you, there is nothing to do. If it was not, choose another password at once.',
    },
    deletionRequested: {
      subject: 'Your account at {organization} will be deleted',
      opening: 'You asked for your account at {organization} to be deleted. That happens on {date}. Until then nobody can use it.',
      action: 'Keep the account',
      closing: 'To keep it, sign in before that day. After it nothing can be brought back.',
    },
    deleted: {
      subject: 'Your account at {organization} was deleted',
      opening: 'Your account at {organization} was deleted, with everything that belonged to it.',
      closing: 'This is the last message about it.',
    },
  },
  code: 'Your code for {organization} is {code}. It is good for ten minutes. Tell it to nobody.',
}

const de: Words = {
  mail: {
    registration: {
      subject: 'Bestätigen Sie Ihre Adresse für {organization}',
      opening: 'Mit dieser Adresse wurde ein Konto bei {organization} angelegt.',
      action: 'Adresse bestätigen',
      closing: 'Der Link gilt eine Stunde. Wenn Sie das nicht waren, ist nichts zu tun: Ohne den Link entsteht kein Konto.',
    },
    addressTaken: {
      subject: 'Sie haben bereits ein Konto bei {organization}',
      opening:
        'Diese Adresse sollte bei {organization} für ein Konto verwendet werden. Es gibt bereits eines mit dieser Adresse, und nichts hat sich geändert.',
      action: 'Anmelden',
      closing: 'Wenn Sie das Passwort nicht mehr wissen, können Sie dort ein neues anfordern. Wenn Sie das nicht waren, ist nichts zu tun.',
    },
    passwordReset: {
      subject: 'Ein neues Passwort für {organization}',
      opening: 'Für Ihr Konto bei {organization} wurde ein neues Passwort angefordert.',
      action: 'Neues Passwort wählen',
      closing: 'Der Link gilt eine Stunde und nur einmal. Wenn Sie das nicht waren, ist nichts zu tun: Das Passwort bleibt, wie es ist.',
    },
    emailConfirmation: {
      subject: 'Bestätigen Sie Ihre neue Adresse für {organization}',
      opening: 'Diese Adresse soll die eines Kontos bei {organization} werden.',
      action: 'Adresse bestätigen',
      closing: 'Der Link gilt eine Stunde. Wenn Sie das nicht waren, ist nichts zu tun: Das Konto behält seine bisherige Adresse.',
    },
    emailChanged: {
      subject: 'Ihre Adresse bei {organization} wurde geändert',
      opening: 'Ihr Konto bei {organization} hat jetzt eine andere E-Mail-Adresse. Diese hier wird nicht mehr verwendet.',
      action: 'Konto ansehen',
      closing: 'Wenn Sie das nicht waren, wenden Sie sich sofort an die Betreiber von {organization}.',
    },
    passwordChanged: {
      subject: 'Ihr Passwort für {organization} wurde geändert',
      opening: 'Ihr Konto bei {organization} hat jetzt ein anderes Passwort. Alle Geräte wurden abgemeldet.',
      action: 'Anderes Passwort wählen',
      closing: 'Wenn Sie das waren, ist nichts zu tun. Wenn nicht, wählen Sie sofort ein anderes Passwort.',
    },
    deletionRequested: {
      subject: 'Ihr Konto bei {organization} wird gelöscht',
      opening:
        'Sie haben verlangt, dass Ihr Konto bei {organization} gelöscht wird. Das geschieht am {date}. Bis dahin kann es niemand benutzen.',
      action: 'Konto behalten',
      closing: 'Um es zu behalten, melden Sie sich vor diesem Tag an. Danach lässt sich nichts zurückholen.',
    },
    deleted: {
      subject: 'Ihr Konto bei {organization} wurde gelöscht',
      opening: 'Ihr Konto bei {organization} wurde gelöscht, mit allem, was dazugehörte.',
      closing: 'Dies ist die letzte Nachricht dazu.',
    },
  },
  code: 'Ihr Code für {organization} lautet {code}. Er gilt zehn Minuten. Sagen Sie ihn niemandem.',
}

const languages = { en, de } as const
export type Language = keyof typeof languages

/** The language of a tag such as `de-CH`, if there are messages in it; English otherwise. */
export function languageOf(locale: string | undefined): Language {
  const language = locale?.split('-')[0]?.toLowerCase()
  return language === 'de' ? 'de' : 'en'
}

export const wordsIn = (language: Language): Words => languages[language]
