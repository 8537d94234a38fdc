/** Messages about accounts: what they are about, and not what they say. Whoever is given writes and sends them. */

interface Addressed {
  readonly to: string
  /** The language of whom it is for (BCP 47), as far as it is known. */
  readonly locale?: string | undefined
}

export type AccountMail = Addressed &
  (
    | {
        readonly kind:
          | 'registration'
          /** Somebody would register, or change their address, to one that has an account. `link` leads to the sign-in. */
          | 'addressTaken'
          | 'passwordReset'
          | 'emailConfirmation'
          /** To the address until now. `link` leads to the account. */
          | 'emailChanged'
          /** `link` leads to another password. */
          | 'passwordChanged'
        readonly link: string
      }
    /** `link` leads to where the account can be kept. */
    | { readonly kind: 'deletionRequested'; readonly link: string; readonly deletionAt: Date }
    | { readonly kind: 'deleted' }
  )

/** A text message with a code. */
export interface AccountText extends Addressed {
  readonly code: string
}

export type SendAccountMail = (mail: AccountMail) => Promise<void>
export type SendAccountText = (text: AccountText) => Promise<void>
