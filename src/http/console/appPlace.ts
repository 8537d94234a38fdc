/** What the pages of one App Services app share: its frame with sections, and changes of its folder that overwrite nobody's and say what is wrong at its field. */
import { createHash } from 'node:crypto'
import { DomainError } from '#src/base/errors.ts'
import { AppFaults, type AppView } from '#src/domain/apps/app.ts'
import type { Apps } from '#src/domain/apps/apps.ts'
import type { Edit } from '#src/domain/apps/editing.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import type { SentForm } from '../kit/sentForm.ts'

export type Facts = Readonly<Record<string, unknown>>

const sections = ['overview', 'providers', 'custom-user-data', 'functions', 'triggers', 'values'] as const
export type AppSection = (typeof sections)[number]

/** Somebody else has written what a form was made of; `now` is how it stands. */
class ChangedMeanwhile extends DomainError {
  readonly code = 'app.changed_meanwhile'
  readonly now: string
  constructor(now: string) {
    super('it was changed meanwhile')
    this.now = now
  }
}

/** What a form carries of that from which it was made. */
export const markOf = (text: string) => createHash('sha256').update(text).digest('base64url')

export const jsonText = (value: unknown) => JSON.stringify(value, null, 2)

/** A text as a form sends it, with the line ends that it had before. */
export function textOf(form: SentForm, name: string, before = ''): string {
  const lines = form.raw(name).replaceAll('\r\n', '\n')
  return before.includes('\r\n') ? lines.replaceAll('\n', '\r\n') : lines
}

export const linesOf = (text: string): readonly string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean)

/** Where the fields of a form stand in the folder: paths below `prefix` in `file` are names of fields. */
export interface FieldPlace {
  readonly file: string
  readonly prefix?: string
  readonly isField: (name: string) => boolean
}

/** What is wrong by field, and what is about none of them: lines with file and path. */
export function faultsByField(lines: readonly string[], { file, prefix = '', isField }: FieldPlace) {
  const faults: Record<string, string> = {}
  const others: string[] = []
  for (const line of lines) {
    const [, path = '', reason = ''] = line.startsWith(`${file}: `) ? (/^([\w.$/-]+): (.+)$/s.exec(line.slice(file.length + 2)) ?? []) : []
    const names = path.startsWith(prefix) ? path.slice(prefix.length).split('.') : []
    const name = names.map((_, index) => names.slice(0, names.length - index).join('.')).find(isField)
    if (name === undefined) others.push(line)
    else faults[name] = faults[name] === undefined ? reason : `${faults[name]}; ${reason}`
  }
  return { faults, others }
}

export type AppPlace = ReturnType<typeof createAppPlace>

export function createAppPlace({ apps }: { apps: Apps }) {
  const addressOf = ({ app }: AppView) => `/apps/${app.id}`

  return {
    addressOf,

    find: ({ params }: Visit): Promise<AppView | undefined> => apps.find(params.app ?? ''),

    /** What is done with the app of the address; nothing is there when it is not. */
    within:
      (handle: (visit: Visit, view: AppView, form: SentForm) => Promise<void> | void): AreaPage['handle'] =>
      async (visit, form) => {
        const view = await apps.find(visit.params.app ?? '')
        return view ? handle(visit, view, form) : visit.missing()
      },

    /** Shows a template with the sections of the app above it. */
    show(visit: Visit, view: AppView, section: AppSection, template: string, facts: Facts = {}, status = 200): Promise<void> {
      const { t } = visit.texts
      const base = `/console${addressOf(view)}`
      const isOverview = template === 'console/app'
      return visit.show(
        template,
        {
          view,
          app: view.app,
          base,
          faults: {},
          mayWrite: visit.may('iam.write'),
          trail: [{ href: '/console/apps', label: t('consoleApps.title') }, ...(isOverview ? [] : [{ href: base, label: view.app.name }])],
          appSections: sections.map((name) => ({
            href: name === 'overview' ? base : `${base}/${name}`,
            label: t(`consoleApps.section.${name}`),
            isCurrent: name === section,
          })),
          ...facts,
        },
        status,
      )
    },

    /** Takes something out of the folder. What would be wrong without it is thrown. @throws AppNotFound, AppFaults */
    remove: (visit: Visit, edit: (view: AppView) => Edit) => apps.editFiles(visit.params.app ?? '', edit, visit.actor),

    /**
     * Writes into the folder, unless what the form was made of (`part`) is no longer what its `mark` says. What is wrong is answered as facts for the page on which it was
     * typed; nothing when all is well.
     */
    async write(
      visit: Visit,
      view: AppView,
      { part, mark, edit, place }: { part: (view: AppView) => string; mark: string; edit: (view: AppView) => Edit; place: FieldPlace },
    ): Promise<Facts | undefined> {
      const { t } = visit.texts
      try {
        await apps.editFiles(
          view.app.id,
          (current) => {
            const now = part(current)
            if (markOf(now) !== mark) throw new ChangedMeanwhile(now)
            return edit(current)
          },
          visit.actor,
        )
        return undefined
      } catch (error) {
        if (error instanceof ChangedMeanwhile)
          return { problem: t('consoleApps.changedMeanwhile'), conflict: error.now, mark: markOf(error.now) }
        if (error instanceof AppFaults) return { problem: t('consoleApps.faults'), ...faultsByField(error.lines, place) }
        return { problem: visit.problemOf(error) }
      }
    },
  }
}
