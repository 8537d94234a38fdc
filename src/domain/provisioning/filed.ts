/** The rules of the configuration file for what is written in another way: everything is held against the file that it would be exported as. */
import type { Application, Project } from '../applications/application.ts'
import { readApplication } from './application.ts'
import { applicationOf, projectOf } from './export.ts'
import { type Path, textOf } from './faults.ts'
import { readProject } from './file.ts'

const noSecret = () => undefined

/** What the rules refuse about an application, by its path. */
export function faultsOfApplication(application: Application): readonly { readonly path: Path; readonly reason: string }[] {
  const faults: { path: Path; reason: string }[] = []
  readApplication(applicationOf(application), [], { add: (path, reason) => void faults.push({ path, reason }) }, noSecret)
  return faults
}

/** An application as an apply of its export would write it, and what the rules refuse about it, a sentence each. */
export function applicationAsFiled(application: Application): { readonly application: Application; readonly faults: readonly string[] } {
  const faults: string[] = []
  const wanted = readApplication(
    applicationOf(application),
    [],
    { add: (path, reason) => void faults.push(sentence(path, reason)) },
    noSecret,
  )
  return { application: { ...application, ...wanted?.fields }, faults }
}

/** What the rules refuse about a project and its roles, a sentence each. */
export function faultsOfProject(project: Project): readonly string[] {
  const faults: string[] = []
  readProject(projectOf(project, []), [], { add: (path, reason) => void faults.push(sentence(path, reason)) }, noSecret)
  return faults
}

const sentence = (path: Path, reason: string) => `${textOf(path)}: ${reason}`
