import type { Session } from '#src/domain/sessions/session.ts'
import { applicationName } from '../kit/applicationName.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { deviceName } from '../kit/deviceName.ts'
import type { AccountNeeds } from './account.ts'

/** A session as a person reads it. */
export async function sessionLine(visit: Visit, { catalogue }: Pick<AccountNeeds, 'catalogue'>, session: Session) {
  const { id, agent, signedInAt, expiresAt, clientIds } = session
  const names = await Promise.all(
    clientIds.map(async (clientId) => applicationName(visit.texts, clientId, (await catalogue.find(clientId))?.application.name)),
  )
  return { id, device: deviceName(visit.texts, agent), signedInAt, expiresAt, applications: names, isThis: id === visit.session.signInId }
}

/** `/account/sessions`: where somebody is signed in, and the end of it. */
export function devicePages(needs: AccountNeeds): readonly AreaPage[] {
  const { browsers: sessions, knownByApps } = needs
  return [
    {
      method: 'GET',
      path: '/sessions',
      async handle(visit) {
        const [found, apps] = await Promise.all([sessions.list(visit.user.id), knownByApps.list(visit.user)])
        const lines = await Promise.all(found.map((session) => sessionLine(visit, needs, session)))
        // This one first: it is the one that people know.
        const ordered = [...lines.filter(({ isThis }) => isThis), ...lines.filter(({ isThis }) => !isThis)]
        const devices = apps.flatMap(({ app, sessions: each }) => each.map((device) => ({ ...device, app })))
        await visit.show('account/sessions', { sessions: ordered, devices, others: lines.filter(({ isThis }) => !isThis).length })
      },
    },
    {
      method: 'POST',
      path: '/sessions/end',
      async handle(visit, form) {
        const { user, actor } = visit
        const isEnded = form.has('app')
          ? await knownByApps.end(user.id, form.raw('app'), form.raw('id'))
          : await sessions.end(user.id, form.raw('id'), actor)
        if (isEnded) visit.go('/sessions', 'sessionEnded')
        else await visit.missing()
      },
    },
    {
      method: 'POST',
      path: '/sessions/end-others',
      async handle(visit) {
        const { user, actor, session } = visit
        const others = (await sessions.list(user.id)).filter(({ id }) => id !== session.signInId)
        for (const { id } of others) await sessions.end(user.id, id, actor)
        visit.go('/sessions', 'sessionsEnded')
      },
    },
  ]
}
