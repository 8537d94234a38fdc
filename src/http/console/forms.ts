/** What forms about records of the catalogue have in common. */
import type { AreaPage, Visit } from '../kit/area.ts'
import type { SentForm } from '../kit/sentForm.ts'

/** Each line that says something, without blanks around it. */
export const linesIn = (text: string): readonly string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean)

/** Text that somebody typed, or nothing. */
export const optional = (text: string): string | undefined => (text === '' ? undefined : text)

interface Changing<T> {
  readonly find: (visit: Visit) => Promise<T | undefined>
  /** The page of the record, where what the domain refuses is told. */
  readonly show: (visit: Visit, record: T, facts: Readonly<Record<string, unknown>>, status: number) => Promise<void>
  /** The address of the same page, within the area. */
  readonly path: (record: T) => string
}

/** A form about a record that is there: its page comes next, with what was refused of it if something was. */
export const changing =
  <T>({ find, show, path }: Changing<T>) =>
  (change: (visit: Visit, form: SentForm, record: T) => Promise<unknown>): AreaPage['handle'] =>
  async (visit, form) => {
    const record = await find(visit)
    if (!record) return visit.missing()
    try {
      await change(visit, form, record)
    } catch (error) {
      return show(visit, record, { problem: visit.problemOf(error), typed: form }, 400)
    }
    visit.go(path(record), 'saved')
  }
