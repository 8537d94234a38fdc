import { Eta } from 'eta'

const views = new URL('../../../views/mail/', import.meta.url)
const eta = new Eta({ views: decodeURIComponent(views.pathname), cache: true, autoEscape: true, autoTrim: false })
/** Text is for people as it stands: nothing in it can be markup. */
const plain = new Eta({ views: decodeURIComponent(views.pathname), cache: true, autoEscape: false, autoTrim: false })

/** How whoever writes looks. */
interface Look {
  readonly name: string
  readonly logoUri?: string
  readonly accentColor?: string
}

/** A message that is about following a link, or only tells something. */
export interface LinkMail {
  readonly to: string
  /** English, when it is left out. */
  readonly language?: string
  readonly look?: Look
  readonly subject: string
  readonly opening: string
  /** What following the link does. */
  readonly action?: string
  readonly link?: string
  readonly closing: string
}

export interface RenderedMail {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
}

const usualColor = '#1f5fbf'

/** The message as text and as HTML, from `views/mail`. */
export function renderLinkMail({ to, language = 'en', look, ...parts }: LinkMail): RenderedMail {
  const subject = oneLine(parts.subject)
  const color = look?.accentColor && /^#[0-9a-f]{6}$/i.test(look.accentColor) ? look.accentColor : usualColor
  const facts = {
    ...parts,
    subject,
    language,
    name: look?.name,
    // Programs that show mail do not take an image out of the address.
    logo: look?.logoUri?.startsWith('https:') ? look.logoUri : undefined,
    color,
    onColor: isDark(color) ? '#ffffff' : '#000000',
  }
  return { to, subject, text: plain.render('./link-text', facts), html: eta.render('./link', facts) }
}

/** `text` without line ends and what else controls a device: in a header they would begin another one. */
export const oneLine = (text: string) => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()

/** Whether white text on `#rrggbb` has more contrast than black (WCAG 2, relative luminance). */
function isDark(color: string): boolean {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
  return 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05
}
