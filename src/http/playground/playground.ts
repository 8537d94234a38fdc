/**
 * The playground: somebody composes an authorization request, sees it as an address and as curl lines, runs it, and sees every step of what follows. It asks as any application does, by the
 * server's own addresses.
 */
import { createHash } from 'node:crypto'
import type { Context } from 'koa'
import { randomText } from '#src/base/ids.ts'
import type { Application } from '#src/domain/applications/application.ts'
import type { Applications } from '#src/domain/applications/applications.ts'
import { clientIdOf } from '#src/domain/applications/builtIn.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import { type AreaKit, type AreaPage, areaEndpoints, type Visit } from '../kit/area.ts'
import { readForm } from '../kit/body.ts'
import { confirmation } from '../kit/confirmation.ts'
import { curlLine, secretVariable } from '../kit/curl.ts'
import type { Endpoint } from '../kit/endpoint.ts'
import type { PageSessions } from '../kit/pageSessions.ts'
import { awaitedCookie, type Sealing } from '../kit/sealedCookie.ts'
import { answerPage } from './answer.ts'
import { describe, knownClaims } from './explained.ts'
import { answerPath, type PendingRun, runSeconds } from './runs.ts'
import type { SendWithin } from './steps.ts'
import { faultsOf, knownScopes, parametersOf, prompts, queryOf, readWish, responseModes, type Wish } from './wish.ts'

export interface PlaygroundNeeds extends Sealing {
  readonly sessions: PageSessions
  readonly maxAgeSeconds: number
  readonly issuer: string
  readonly send: SendWithin
  readonly now: () => Date
  readonly catalogue: Pick<Catalogue, 'root' | 'find' | 'listApplications'>
  readonly applications: Pick<Applications, 'change'>
}

const ownClientId = clientIdOf('playground')
const scope = 'openid profile'
const mostListed = 200

export function playgroundEndpoints(kit: AreaKit, needs: PlaygroundNeeds): readonly Endpoint[] {
  const { sessions, maxAgeSeconds, issuer, catalogue, applications } = needs
  const { secure, seal, open, now } = needs
  const redirectUri = `${issuer}/playground${answerPath}`
  const runs = awaitedCookie<PendingRun>('dossier-playground-run', { secure, seal, open, seconds: runSeconds, most: 3, now })

  /** The applications that somebody who may see them can choose from. */
  async function choices(visit: Visit): Promise<readonly Pick<Application, 'clientId' | 'name'>[]> {
    const own = await catalogue.find(ownClientId)
    const listed: Pick<Application, 'clientId' | 'name'>[] = own ? [own.application] : []
    if (!visit.may('project.app.read')) return listed
    const { projects } = await catalogue.root()
    for (const id of projects.keys()) {
      if (listed.length >= mostListed) break
      listed.push(...(await catalogue.listApplications(id)).filter(({ type }) => type !== 'api'))
    }
    return listed.slice(0, mostListed)
  }

  async function compose(visit: Visit, wish: Wish, status = 200): Promise<void> {
    const faults = faultsOf(wish)
    const view = await catalogue.find(wish.clientId)
    const shown = { state: 'STATE', nonce: 'NONCE', challenge: 'CODE_CHALLENGE' }
    const address = faults.length === 0 ? `${issuer}/oauth/v2/authorize?${parametersOf(wish, redirectUri, shown)}` : undefined
    const isPublic = view?.application.authMethod === 'none'
    const form = {
      grant_type: 'authorization_code',
      code: 'CODE',
      redirect_uri: redirectUri,
      ...(wish.usesPkce && { code_verifier: 'CODE_VERIFIER' }),
    }
    const who = isPublic ? { form: { client_id: wish.clientId, ...form } } : { basic: [wish.clientId, secretVariable] as const, form }
    const isSeen = visit.may('project.app.read') || wish.clientId === ownClientId
    await visit.show(
      'playground/compose',
      {
        wish,
        faults: Object.fromEntries(faults.map(({ field, text }) => [field, visit.texts.t(text)])),
        choices: await choices(visit),
        knownScopes,
        moreScopes: wish.scopes.filter((each) => !(knownScopes as readonly string[]).includes(each)),
        prompts,
        responseModes,
        address,
        wishQuery: queryOf(wish).toString(),
        curls: [
          curlLine({ method: 'POST', address: `${issuer}/oauth/v2/token`, ...who }),
          curlLine({ method: 'GET', address: `${issuer}/oidc/v1/userinfo`, bearer: 'ACCESS_TOKEN' }),
        ],
        redirectUri,
        // Who may not see applications is not told which there are.
        isUnknown: isSeen && !view,
        wantsSecret: isSeen ? view !== undefined && !isPublic : wish.clientId !== ownClientId,
        lacksAddress: isSeen && view !== undefined && !view.application.redirectUris.includes(redirectUri),
        mayAddAddress: visit.may('project.app.write'),
      },
      status,
    )
  }

  /** The application that a question about its redirect URIs is about; the playground's own is what it is. */
  async function addressed(visit: Visit): Promise<Application | undefined> {
    const view = await catalogue.find(visit.query('client_id'))
    return view?.application.clientId === ownClientId ? undefined : view?.application
  }
  const isWanted = (visit: Visit) => visit.query('wanted') === 'yes'
  const usualQuery = ({ clientId }: Application) => new URLSearchParams({ client_id: clientId, pkce: 'on', scope: 'openid' })

  const wishOf = (ctx: Context) => readWish(new URLSearchParams(ctx.querystring), ownClientId)

  const pages: readonly AreaPage[] = [
    { method: 'GET', path: '', handle: (visit) => compose(visit, wishOf(visit.ctx)) },
    {
      method: 'POST',
      path: '/run',
      async handle(visit, form) {
        const wish = readWish(new URLSearchParams(form.raw('wish')), ownClientId)
        if (faultsOf(wish).length > 0) return compose(visit, wish, 400)
        const run = {
          state: randomText(24),
          nonce: randomText(24),
          verifier: randomText(48),
          clientId: wish.clientId,
          clientSecret: form.raw('client_secret').slice(0, 500),
          usesPkce: wish.usesPkce,
        }
        runs.put(visit.ctx, run)
        const challenge = createHash('sha256').update(run.verifier).digest('base64url')
        visit.ctx.status = 303
        visit.ctx.redirect(`/oauth/v2/authorize?${parametersOf(wish, redirectUri, { ...run, challenge })}`)
      },
    },
    // Whoever has another redirect URI has the codes of everybody who signs in.
    ...confirmation({
      path: '/address',
      permission: 'project.app.write',
      async ask(visit) {
        const application = await addressed(visit)
        if (!application) return undefined
        const { t } = visit.texts
        const kind = isWanted(visit) ? 'add' : 'remove'
        return {
          title: t(`playground.address.${kind}Title`, { name: application.name }),
          what: t(`playground.address.${kind}What`, { address: redirectUri }),
          submit: t(kind === 'add' ? 'playground.compose.addAddress' : 'playground.compose.removeAddress'),
          back: `/playground?${usualQuery(application)}`,
          isGiving: kind === 'add',
        }
      },
      async act(visit) {
        const application = await addressed(visit)
        if (!application) return visit.missing()
        const change = ({ redirectUris }: Application) => {
          const others = redirectUris.filter((each) => each !== redirectUri)
          return { redirectUris: isWanted(visit) ? [...others, redirectUri] : others }
        }
        await applications.change(application.id, change, visit.actor)
        visit.go(`?${usualQuery(application)}`, 'saved')
      },
    }),
    answerPage({ issuer, send: needs.send, runs, redirectUri }),
    {
      method: 'GET',
      path: '/decoder',
      handle: (visit) =>
        visit.show('playground/decoder', {
          scripts: ['playground.js'],
          claims: knownClaims.map((name) => ({ name, ...describe(visit.texts, name, 'idToken') })),
          other: describe(visit.texts, '', 'idToken').meaning,
        }),
    },
  ]

  /** An answer that came as a form goes on as one that came in the address. */
  async function postedAnswer(ctx: Context): Promise<void> {
    const parameters = new URLSearchParams([...(await readForm(ctx))])
    ctx.status = 303
    ctx.set('Cache-Control', 'no-store')
    ctx.redirect(`/playground${answerPath}?${parameters}`)
  }

  return [
    ...areaEndpoints(kit, {
      area: 'playground',
      sessions,
      scope,
      maxAgeSeconds,
      formsLeave: true,
      sections: [
        { path: '', label: 'playground.sections.compose' },
        { path: '/decoder', label: 'playground.sections.decoder' },
      ],
      pages,
    }),
    { method: 'POST', path: `/playground${answerPath}`, handle: postedAnswer },
  ]
}
