/** Whether people may change metadata under `key` of themselves: one of `patterns` is the key, where `*` stands for anything. */
export const isSelfManaged = (key: string, patterns: false | readonly string[]): boolean =>
  patterns !== false && patterns.some((pattern) => matches(key, pattern.split('*')))

/** Whether `key` is made of `parts`, in their order, with anything between them. */
function matches(key: string, parts: readonly string[]): boolean {
  const [first = '', ...others] = parts
  const last = others.pop()
  if (last === undefined) return key === first
  if (!key.startsWith(first) || !key.endsWith(last) || key.length < first.length + last.length) return false
  let rest = key.slice(first.length, key.length - last.length)
  for (const part of others) {
    const at = rest.indexOf(part)
    if (at < 0) return false
    rest = rest.slice(at + part.length)
  }
  return true
}
