import { environmentSchema } from '#src/platform/config.ts'

/** The page docs/configuration.md: every variable with the words that the schema has for it. */
export function configurationPage(): string {
  const rows = Object.entries(environmentSchema.shape).map(([name, field]) => {
    const parsed = field.safeParse(undefined)
    return `| \`${name}\` | ${parsed.success ? shown(parsed.data) : ''} | ${field.description ?? ''} |`
  })
  return `<!-- Made by \`npm run docs\` from src/platform/config.ts. -->

# Configuration

Dossier reads its environment, and nothing else, when it starts. Every fault is reported together, with the variable's name and an example, and the exit status
is then 78. A value of the form \`file:path\` is read from that file. An unknown variable that begins with \`DOSSIER_\` is a fault too: it is a
misspelling. \`dossier config check\` reports on all this without changing anything.

| variable | default | meaning |
| --- | --- | --- |
${rows.join('\n')}

The TCP port is the issuer's unless \`DOSSIER_PORT\` says otherwise.

## The configuration file

Projects, applications, users, roles, metadata and settings come from a file that is applied with \`dossier apply FILE\`, or at every start with \`DOSSIER_APPLY\`.
[Its fields](configuration-file.md) are a page of their own; \`dossier export\` writes what is stored in the same form, without secrets. An apply creates what is missing and
updates what differs. It removes nothing, unless \`prune: true\` stands at its top: then it removes what earlier applies of the same file name
made and this one no longer lists. Every fault is told with file, line and path, and then nothing is written.
`
}

function shown(value: unknown): string {
  if (value === undefined) return ''
  if (Array.isArray(value)) return value.length === 0 ? 'none' : `\`${value.join(',')}\``
  if (typeof value === 'object' && value !== null && 'directory' in value) return `\`sqlite:${String(value.directory)}\``
  return `\`${String(value)}\``
}
