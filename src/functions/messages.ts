/** What the server and the thread of a function say to each other. Values are texts in Extended JSON. */

export type ToWorker =
  | {
      readonly kind: 'call'
      readonly id: string
      /** App and version of its functions. */
      readonly app: string
      readonly functions: readonly { readonly name: string; readonly source: string; readonly isSystem: boolean }[]
      readonly name: string
      /** The facts of the call. */
      readonly text: string
    }
  | { readonly kind: 'answer'; readonly call: string; readonly number: string; readonly ok: boolean; readonly text: string }

export type FromWorker =
  | { readonly kind: 'ask'; readonly call: string; readonly number: string; readonly text: string }
  | { readonly kind: 'log'; readonly call: string; readonly level: 'info' | 'warn' | 'error'; readonly name: string; readonly text: string }
  | { readonly kind: 'done'; readonly call: string; readonly text: string }
  /** Name, message and stack of what was thrown, as JSON. */
  | { readonly kind: 'failed'; readonly call: string; readonly text: string }
