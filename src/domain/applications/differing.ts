/** What is told of a change: a secret that is another one, however it is kept. */
const publicName = (field: string) => (field === 'clientSecretHash' || field === 'clientSecretSealed' ? 'clientSecret' : field)

/** The names of what `after` has otherwise than `before`; what is left out and what is `undefined` are the same. */
export function differing<T extends object>(before: T, after: T): readonly string[] {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof T & string>
  const other = [...fields].filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
  return [...new Set(other.map(publicName))]
}
