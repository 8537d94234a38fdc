import { Eta } from 'eta'

const views = new URL('../../../views/mail/', import.meta.url)
const eta = new Eta({ views: decodeURIComponent(views.pathname), cache: true, autoEscape: true, autoTrim: false })

/** A message that is about following a link. */
export interface LinkMail {
  readonly to: string
  readonly subject: string
  readonly opening: string
  /** What following the link does. */
  readonly action: string
  readonly link: string
  readonly closing: string
}

/** The message as text and as HTML, from `views/mail`. */
export function renderLinkMail({ to, subject, ...parts }: LinkMail): {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
} {
  // A line end in a subject would be another header.
  const oneLine = subject.replace(/[\r\n]+/g, ' ')
  return {
    to,
    subject: oneLine,
    text: eta.render('./link-text', { ...parts, subject: oneLine }),
    html: eta.render('./link', { ...parts, subject: oneLine }),
  }
}
