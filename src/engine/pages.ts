import type { Context } from 'koa'

interface NamedApplication {
  readonly clientId: string
  readonly name?: string
}

/** What the engine shows to people. The pages live in http/interactions; the engine only says what there is to show. */
export interface EnginePages {
  /** An error that cannot be sent to the application. */
  error(ctx: Context, facts: { code: string; description?: string }): Promise<void>
  /** Asks whether to sign out; `action` and `token` make its form. */
  signOut(ctx: Context, facts: { action: string; token: string; application?: NamedApplication }): Promise<void>
  /** Hands the answer on to the application by a form, which submits itself. */
  formPost(ctx: Context, facts: { action: string; fields: Readonly<Record<string, string>> }): Promise<void>
  /** `wayBack` leads to the application that asked for the sign-out, if it says where that is. */
  signedOut(ctx: Context, facts: { cancelled: boolean; application?: NamedApplication; wayBack?: string }): Promise<void>
  /** Asks for the code of a device; `problem` says what was wrong with the last one. */
  userCode(
    ctx: Context,
    facts: { action: string; token: string; userCode?: string; problem?: 'notFound' | 'expired' | 'used' | 'inUse' | 'denied' | 'failed' },
  ): Promise<void>
  /** Asks whether this is the device in the person's hand. */
  confirmDevice(
    ctx: Context,
    facts: { action: string; token: string; userCode: string; applicationName: string; device: string },
  ): Promise<void>
  deviceDone(ctx: Context, facts: { applicationName: string }): Promise<void>
}
