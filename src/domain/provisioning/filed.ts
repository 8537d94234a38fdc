/** The rules of the configuration file for what is written in another way: everything is held against the file that it would be exported as. */
import type { Application, Project } from '../applications/application.ts'
import { readApplication } from './application.ts'
import { applicationOf, projectOf } from './export.ts'
import { type Path, textOf } from './faults.ts'
import { readProject } from './file.ts'
import { noteNames } from './names.ts'

const noSecret = () => undefined

/** What the rules refuse about an application, by its path. */
export function faultsOfApplication(application: Application): readonly { readonly path: Path; readonly reason: string }[] {
  const faults: { path: Path; reason: string }[] = []
  const collected = { add: (path: Path, reason: string) => void faults.push({ path, reason }) }
  readApplication(applicationOf(application), [], collected, noSecret)
  noteNames(application, undefined, [], collected)
  return faults
}

/** An application as an apply of its export would write it, and what the rules refuse about it, a sentence each. A name that it had `before` is not judged. */
export function applicationAsFiled(
  application: Application,
  before?: Application,
): { readonly application: Application; readonly faults: readonly string[] } {
  const faults: string[] = []
  const collected = { add: (path: Path, reason: string) => void faults.push(sentence(path, reason)) }
  const wanted = readApplication(applicationOf(application), [], collected, noSecret)
  noteNames(application, before, [], collected)
  return { application: { ...application, ...wanted?.fields }, faults }
}

/** What the rules refuse about a project and its roles, a sentence each. Names that they had `before` are not judged. */
export function faultsOfProject(project: Project, before?: Project): readonly string[] {
  const faults: string[] = []
  const collected = { add: (path: Path, reason: string) => void faults.push(sentence(path, reason)) }
  readProject(projectOf(project, []), [], collected, noSecret)
  noteNames(project, before, [], collected)
  return faults
}

const sentence = (path: Path, reason: string) => `${textOf(path)}: ${reason}`
