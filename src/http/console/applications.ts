/** Applications of a project: a wizard by kind that ends on what their makers copy, their settings, secrets and keys. */
import type { Application } from '#src/domain/applications/application.ts'
import { applicationKeyOf } from '#src/domain/applications/applicationKeys.ts'
import type { Applications } from '#src/domain/applications/applications.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import { complianceProblemsOf } from '#src/domain/applications/compliance.ts'
import { ApplicationInvalid } from '#src/domain/applications/failures.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { confirmation, type Question } from '../kit/confirmation.ts'
import type { SentForm } from '../kit/sentForm.ts'
import {
  authMethods,
  faultsByField,
  grantTypes,
  responseTypes,
  type Shown,
  shownOf,
  signingAlgorithms,
  typedIn,
  wishIn,
} from './applicationForm.ts'
import { type ApplicationKind, applicationKinds, authorizeAddress, curlOf, kindIn, kindOf, signsIn, wishOf } from './applicationKinds.ts'
import { changing as changingRecord, linesIn } from './forms.ts'

export interface ApplicationsNeeds {
  readonly issuer: string
  readonly catalogue: Pick<Catalogue, 'findProjectById' | 'findById'>
  readonly applications: Applications
}

const emptyShown: Shown = { value: () => '', isOn: () => false }

export function applicationPages({ issuer, catalogue, applications }: ApplicationsNeeds): readonly AreaPage[] {
  const existing = ({ params }: Visit) => catalogue.findById(params.application ?? '')

  async function trailOf({ texts }: Visit, projectId: string) {
    const project = await catalogue.findProjectById(projectId)
    return [
      { href: '/console/projects', label: texts.t('console.sections.projects') },
      ...(project ? [{ href: `/console/projects/${project.id}`, label: project.name }] : []),
    ]
  }

  async function wizard(
    visit: Visit,
    kind: ApplicationKind | undefined,
    facts: Readonly<Record<string, unknown>> = {},
    status = 200,
  ): Promise<void> {
    const project = await catalogue.findProjectById(visit.params.project ?? '')
    if (!project) return visit.missing()
    const trail = await trailOf(visit, project.id)
    const given = { project, kinds: applicationKinds, kind, signsIn: kind && signsIn(kind), shown: emptyShown, faults: {}, trail, ...facts }
    await visit.show(kind ? 'console/applicationNew' : 'console/applicationKind', given, status)
  }

  /** What is copied once an application is there; the secret is in no other page. */
  async function ready(visit: Visit, application: Application, clientSecret: string | undefined): Promise<void> {
    const kind = kindOf(application)
    await visit.show('console/applicationReady', {
      application,
      clientSecret,
      issuer,
      curl: curlOf(issuer, application),
      ...(signsIn(kind) && { authorize: authorizeAddress(issuer, application) }),
      trail: await trailOf(visit, application.projectId),
    })
  }

  async function show(visit: Visit, application: Application, facts: Readonly<Record<string, unknown>> = {}, status = 200): Promise<void> {
    const keys = (application.jwks?.keys ?? []).map(applicationKeyOf).filter((key) => key !== undefined)
    const { t, has } = visit.texts
    await visit.show(
      'console/application',
      {
        application,
        kind: kindOf(application),
        keys,
        hasSecret: application.clientSecretHash !== undefined || application.clientSecretSealed !== undefined,
        compliance: complianceProblemsOf(application).map(({ key, message }) => {
          const problem = key.slice('Application.OIDC.V1.'.length)
          const text = `compliance.${problem}`
          return has(text) ? t(text) : message
        }),
        curl: curlOf(issuer, application),
        issuer,
        mayWrite: visit.may('project.app.write'),
        trail: await trailOf(visit, application.projectId),
        ...facts,
      },
      status,
    )
  }

  async function edit(visit: Visit, application: Application, facts: Readonly<Record<string, unknown>> = {}, status = 200): Promise<void> {
    const trail = [
      ...(await trailOf(visit, application.projectId)),
      { href: `/console/applications/${application.id}`, label: application.name },
    ]
    const choices = { grantTypes, responseTypes, authMethods, signingAlgorithms }
    const given = { application, kind: kindOf(application), shown: shownOf(application), faults: {}, choices, trail }
    await visit.show('console/applicationEdit', { ...given, ...facts }, status)
  }

  async function save(visit: Visit, form: SentForm): Promise<void> {
    const application = await existing(visit)
    if (!application) return visit.missing()
    try {
      const wish = wishIn(form, application)
      const { application: after, clientSecret } = await applications.change(application.id, () => wish, visit.actor)
      if (clientSecret === undefined) visit.go(`/applications/${application.id}`, 'saved')
      else await ready(visit, after, clientSecret)
    } catch (error) {
      const faults = error instanceof ApplicationInvalid ? faultsByField(error) : {}
      const problem = error instanceof ApplicationInvalid ? visit.texts.t('console.application.faults') : visit.problemOf(error)
      await edit(visit, application, { problem, faults, shown: typedIn(form) }, 400)
    }
  }

  const changing = changingRecord({ find: existing, show, path: ({ id }) => `/applications/${id}` })

  /** A question about an application, whose page is where to go instead. */
  const about =
    (questionOf: (visit: Visit, application: Application) => Omit<Question, 'back'> | undefined) =>
    async (visit: Visit): Promise<Question | undefined> => {
      const application = await existing(visit)
      const question = application && questionOf(visit, application)
      return question && { ...question, back: `/console/applications/${application.id}` }
    }

  return [
    {
      method: 'GET',
      path: '/projects/:project/applications/new',
      permission: 'project.app.write',
      handle: (visit) => wizard(visit, kindIn(visit.query('kind'))),
    },
    {
      method: 'POST',
      path: '/projects/:project/applications/new',
      permission: 'project.app.write',
      async handle(visit, form) {
        const kind = kindIn(form.text('kind'))
        if (!kind) return wizard(visit, undefined, {}, 400)
        const wish = wishOf(kind, {
          name: form.text('name'),
          redirectUris: linesIn(form.raw('redirectUris')),
          postLogoutRedirectUris: linesIn(form.raw('postLogoutRedirectUris')),
          idTokenUserinfoAssertion: form.has('idTokenUserinfoAssertion'),
          accessTokenType: form.has('jwt') ? 'jwt' : 'bearer',
        })
        try {
          const { application, clientSecret } = await applications.create(visit.params.project ?? '', wish, visit.actor)
          await ready(visit, application, clientSecret)
        } catch (error) {
          const faults = error instanceof ApplicationInvalid ? faultsByField(error) : {}
          const problem = error instanceof ApplicationInvalid ? visit.texts.t('console.application.faults') : visit.problemOf(error)
          await wizard(visit, kind, { faults, problem, shown: typedIn(form) }, 400)
        }
      },
    },
    {
      method: 'GET',
      path: '/applications/:application',
      permission: 'project.app.read',
      async handle(visit) {
        const application = await existing(visit)
        return application ? show(visit, application) : visit.missing()
      },
    },
    {
      method: 'GET',
      path: '/applications/:application/edit',
      permission: 'project.app.write',
      // Whoever has another redirect URI has the codes of everybody who signs in.
      isDangerous: true,
      async handle(visit) {
        const application = await existing(visit)
        return application ? edit(visit, application) : visit.missing()
      },
    },
    {
      method: 'POST',
      path: '/applications/:application/edit',
      permission: 'project.app.write',
      isDangerous: true,
      isLong: true,
      handle: save,
    },
    {
      method: 'POST',
      path: '/applications/:application/state',
      permission: 'project.app.write',
      handle: changing(async ({ actor }, form, { id }) => {
        await (form.text('state') === 'active' ? applications.reactivate(id, actor) : applications.deactivate(id, actor))
      }),
    },
    ...confirmation({
      path: '/applications/:application/keys',
      permission: 'project.app.write',
      ask: about(({ texts: { t } }, { name }) => ({
        title: t('console.application.keyMakeTitle', { name }),
        what: t('console.application.keyMakeWhat'),
        submit: t('console.application.keyMake'),
        isGiving: true,
      })),
      async act(visit) {
        const { application, keyId, privatePem } = await applications.addKey(visit.params.application ?? '', visit.actor)
        const { t } = visit.texts
        await visit.show('parts/secret', {
          secret: {
            title: t('console.application.keyMade'),
            say: t('console.application.keySay'),
            values: [
              { label: t('console.application.keyId'), value: keyId },
              { label: t('console.application.privateKey'), value: privatePem },
            ],
            back: `/console/applications/${application.id}`,
          },
        })
      },
    }),
    ...confirmation({
      path: '/applications/:application/key',
      permission: 'project.app.write',
      ask: about(({ texts: { t }, query }, { jwks }) => {
        const keyId = query('key')
        if (!jwks?.keys.some((key) => applicationKeyOf(key)?.id === keyId)) return undefined
        return {
          title: t('console.application.keyRemoveTitle'),
          what: t('console.application.keyRemoveWhat', { key: keyId }),
          submit: t('console.application.keyRemove'),
        }
      }),
      async act(visit) {
        await applications.removeKey(visit.params.application ?? '', visit.query('key'), visit.actor)
        visit.go(`/applications/${visit.params.application}`, 'removed')
      },
    }),
    ...confirmation({
      path: '/applications/:application/secret',
      permission: 'project.app.write',
      ask: about(({ texts: { t } }, { name }) => ({
        title: t('console.application.secretTitle', { name }),
        what: t('console.application.secretWhat'),
        submit: t('console.application.secretMake'),
      })),
      async act(visit) {
        const { application, clientSecret } = await applications.regenerateSecret(visit.params.application ?? '', visit.actor)
        await ready(visit, application, clientSecret)
      },
    }),
    ...confirmation({
      path: '/applications/:application/remove',
      permission: 'project.app.delete',
      ask: about(({ texts: { t } }, { name }) => ({
        title: t('console.application.removeTitle', { name }),
        what: t('console.application.removeWhat'),
        name,
        submit: t('console.application.remove'),
      })),
      async act(visit) {
        const application = await existing(visit)
        await applications.remove(visit.params.application ?? '', visit.actor)
        visit.go(`/projects/${application?.projectId ?? ''}`, 'removed')
      },
    }),
  ]
}
