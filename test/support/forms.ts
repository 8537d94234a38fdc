/** What tests of pages read in them. */
import type { Page } from './browser.ts'

type Text = Pick<Page, 'text'>

/** What is wrong with a field, by its name. */
export const faultOf = ({ text }: Text, field: string) => new RegExp(`id="${field}-fault"[^>]*>([^<]*)<`).exec(text)?.[1]
export const problemOf = ({ text }: Text) => /role="alert">([^<]*)</.exec(text)?.[1]
export const doneOf = ({ text }: Text) => /role="status">([^<]*)</.exec(text)?.[1]
/** A hidden field of the first form that has it. */
export const hiddenIn = ({ text }: Text, name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? ''
