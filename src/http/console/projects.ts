/** Projects and their roles. Dossier's own project is shown and stays as it is. */
import { isActive, type Project } from '#src/domain/applications/application.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { Projects } from '#src/domain/applications/projects.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { confirmation } from '../kit/confirmation.ts'
import { changing as changingRecord, optional } from './forms.ts'

export interface ProjectsNeeds {
  readonly catalogue: Pick<Catalogue, 'root' | 'listProjects' | 'listApplications' | 'countApplications' | 'findProjectById'>
  readonly projects: Projects
}

const mostShown = 200

export function projectPages({ catalogue, projects }: ProjectsNeeds): readonly AreaPage[] {
  const existing = ({ params }: Visit) => catalogue.findProjectById(params.project ?? '')

  async function list(visit: Visit): Promise<void> {
    const { ownProjectId } = await catalogue.root()
    const all = await catalogue.listProjects()
    const counts = await catalogue.countApplications()
    const wanted = visit.query('name').trim().toLowerCase()
    const found = all.filter(({ name }) => name.toLowerCase().includes(wanted))
    const shown = found.slice(0, mostShown).map((project) => ({
      ...project,
      active: isActive(project),
      isOwn: project.id === ownProjectId,
      applications: counts.get(project.id) ?? 0,
    }))
    await visit.show('console/projects', {
      projects: shown,
      name: visit.query('name'),
      isEmpty: all.length < 2,
      more: found.length - shown.length,
    })
  }

  async function show(visit: Visit, project: Project, facts: Readonly<Record<string, unknown>> = {}, status = 200): Promise<void> {
    const { ownProjectId } = await catalogue.root()
    const applications = await catalogue.listApplications(project.id)
    await visit.show(
      'console/project',
      {
        project,
        isActive: isActive(project),
        isOwn: project.id === ownProjectId,
        applications: applications.slice(0, mostShown),
        moreApplications: applications.length - mostShown,
        trail: [{ href: '/console/projects', label: visit.texts.t('console.sections.projects') }],
        ...facts,
      },
      status,
    )
  }

  const changing = changingRecord({ find: existing, show, path: ({ id }) => `/projects/${encodeURIComponent(id)}` })

  const newProject = (visit: Visit, facts: Readonly<Record<string, unknown>> = {}, status = 200) =>
    visit.show(
      'console/projectNew',
      { trail: [{ href: '/console/projects', label: visit.texts.t('console.sections.projects') }], ...facts },
      status,
    )

  return [
    { method: 'GET', path: '/projects', permission: 'project.read', handle: list },
    { method: 'GET', path: '/projects/new', permission: 'project.create', handle: (visit) => newProject(visit) },
    {
      method: 'POST',
      path: '/projects/new',
      permission: 'project.create',
      async handle(visit, form) {
        try {
          const { id } = await projects.create({ name: form.text('name') }, visit.actor)
          visit.go(`/projects/${id}`, 'saved')
        } catch (error) {
          await newProject(visit, { name: form.text('name'), fault: visit.problemOf(error) }, 400)
        }
      },
    },
    {
      method: 'GET',
      path: '/projects/:project',
      permission: 'project.read',
      async handle(visit) {
        const project = await existing(visit)
        return project ? show(visit, project) : visit.missing()
      },
    },
    {
      method: 'POST',
      path: '/projects/:project',
      permission: 'project.write',
      handle: changing(({ actor }, form, { id }) =>
        projects.change(id, { name: form.text('name'), projectRoleAssertion: form.has('projectRoleAssertion') }, actor),
      ),
    },
    {
      method: 'POST',
      path: '/projects/:project/state',
      permission: 'project.write',
      handle: changing(({ actor }, form, { id }) =>
        form.text('state') === 'active' ? projects.reactivate(id, actor) : projects.deactivate(id, actor),
      ),
    },
    {
      method: 'POST',
      path: '/projects/:project/roles',
      permission: 'project.role.write',
      handle: changing(({ actor }, form, { id }) =>
        projects.addRoles(
          id,
          [{ key: form.text('key'), displayName: optional(form.text('displayName')), group: optional(form.text('group')) }],
          actor,
        ),
      ),
    },
    ...confirmation({
      path: '/projects/:project/role',
      permission: 'project.role.delete',
      async ask(visit) {
        const project = await existing(visit)
        const role = project?.roles.find(({ key }) => key === visit.query('key'))
        if (!project || !role) return undefined
        const { t } = visit.texts
        return {
          title: t('console.role.removeTitle', { key: role.key }),
          what: t('console.role.removeWhat', { project: project.name }),
          submit: t('console.role.remove'),
          back: `/console/projects/${project.id}`,
        }
      },
      async act(visit) {
        await projects.removeRole(visit.params.project ?? '', visit.query('key'), visit.actor)
        visit.go(`/projects/${visit.params.project}`, 'removed')
      },
    }),
    ...confirmation({
      path: '/projects/:project/remove',
      permission: 'project.delete',
      async ask(visit) {
        const project = await existing(visit)
        if (!project) return undefined
        const { t } = visit.texts
        const applications = (await catalogue.countApplications()).get(project.id) ?? 0
        return {
          title: t('console.project.removeTitle', { name: project.name }),
          what: t('console.project.removeWhat', { applications }),
          name: project.name,
          submit: t('console.project.remove'),
          back: `/console/projects/${project.id}`,
        }
      },
      async act(visit) {
        await projects.remove(visit.params.project ?? '', visit.actor)
        visit.go('/projects', 'removed')
      },
    }),
  ]
}
