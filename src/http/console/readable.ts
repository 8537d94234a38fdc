/** A line of a table for people: where something stands, and what it is. */
interface ReadableLine {
  readonly name: string
  readonly value: string
}

const mostLines = 60
const mostCharacters = 300

/** Any JSON value as lines: `address.city`, `tags 1`. What is long is cut, and what is more than fits is counted in `more`. */
export function readable(value: unknown): { readonly lines: readonly ReadableLine[]; readonly more: number } {
  const lines: ReadableLine[] = []
  let more = 0
  const walk = (name: string, each: unknown): void => {
    const members = membersOf(name, each)
    if (members.length > 0) for (const [inner, member] of members) walk(inner, member)
    else if (lines.length >= mostLines) more += 1
    else lines.push({ name: cut(name), value: cut(typeof each === 'string' ? each : (JSON.stringify(each) ?? '')) })
  }
  walk('', value)
  return { lines, more }
}

function membersOf(name: string, value: unknown): readonly (readonly [name: string, value: unknown])[] {
  if (Array.isArray(value)) return value.map((member, index) => [`${name} ${index + 1}`.trim(), member])
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).map(([key, member]) => [name === '' ? key : `${name}.${key}`, member])
}

const cut = (text: string) => (text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text)
