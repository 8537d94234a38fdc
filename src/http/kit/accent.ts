/** The operator's accent colour as a style sheet: the policy of pages allows no style that is not in a file of ours. */

type Rgb = readonly [number, number, number]

const white: Rgb = [255, 255, 255]
const black: Rgb = [0, 0, 0]
/** Grounds that the accent is read on (views/assets/style.css): light and dark. */
const lightGround: Rgb = [244, 245, 247]
const darkGround: Rgb = [30, 35, 41]
/** WCAG 2.2, success criterion 1.4.3. */
const readable = 4.5

function rgbOf(hex: string): Rgb {
  const part = (at: number) => Number.parseInt(hex.slice(at, at + 2), 16)
  return [part(1), part(3), part(5)]
}

const hexOf = (rgb: Rgb) => `#${rgb.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`

/** Relative luminance (WCAG 2.2). */
function luminance(rgb: Rgb): number {
  const [red = 0, green = 0, blue = 0] = rgb.map((part) => {
    const share = part / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(one: Rgb, other: Rgb): number {
  const [lighter = 0, darker = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (lighter + 0.05) / (darker + 0.05)
}

/** `colour`, moved towards `end` until it can be read on `ground`. */
function readableOn(colour: Rgb, ground: Rgb, end: Rgb): Rgb {
  for (let share = 0; share < 1; share += 0.05) {
    const part = (at: 0 | 1 | 2) => colour[at] + (end[at] - colour[at]) * share
    const mixed: Rgb = [part(0), part(1), part(2)]
    if (contrast(mixed, ground) >= readable) return mixed
  }
  return end
}

const rule = (accent: Rgb) =>
  `--accent:${hexOf(accent)};--on-accent:${hexOf(contrast(accent, white) >= contrast(accent, black) ? white : black)}`

/** Where the style sheet of `#rrggbb` is. */
export const accentPath = (colour: string) => `/assets/accent-${colour.slice(1).toLowerCase()}.css`

/** The style sheet of a file name that `accentPath` makes: the colour as near to what was chosen as text in it can be read, on light and on dark ground. */
export function accentSheet(name: string): string | undefined {
  const [, hex] = /^accent-([0-9a-f]{6})\.css$/.exec(name) ?? []
  if (hex === undefined) return undefined
  const colour = rgbOf(`#${hex}`)
  const [light, dark] = [readableOn(colour, lightGround, black), readableOn(colour, darkGround, white)]
  return `:root{${rule(light)}}@media (prefers-color-scheme:dark){:root{${rule(dark)}}}\n`
}
