/**
 * Dynamic client registration (RFC 7591) and its management (RFC 7592). The engine owns the protocol; here is who may register, what strangers may ask for, and
 * that a secret is shown once: what is stored is a hash.
 */
import type { Context, Middleware } from 'koa'
import type { AdapterPayload } from 'oidc-provider'
import { newObjectId } from '#src/base/ids.ts'
import {
  type Application,
  isRegistered,
  type Project,
  registeredProjectId as projectId,
  type SigningAlgorithm,
} from '#src/domain/applications/application.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { Recorder } from '#src/domain/audit/recorder.ts'
import type { Keys } from '#src/domain/keys/keys.ts'
import type { RegistrationTokens } from '#src/domain/sessions/registrationTokens.ts'
import { hashSecret, secretMatches } from '#src/domain/users/secrets.ts'
import type { Throttle } from '#src/domain/users/throttle.ts'
import { ownClientMetadata } from './clients.ts'
import { errors, replaceStep, type Step } from './internals.ts'
import { registeredFrom } from './registered.ts'

const path = '/oauth/v2/register'
const system = { kind: 'system' } as const

export interface RegistrarDeps {
  readonly catalogue: Catalogue
  readonly keys: Pick<Keys, 'ensure'>
  readonly recorder: Recorder
  readonly sealSecret: (secret: string, clientId: string) => string
}

/** Writes what strangers register into the catalogue: applications of the project "Registered". */
export function createRegistrar({ catalogue, keys, recorder, sealSecret }: RegistrarDeps) {
  async function own(clientId: string): Promise<Application | undefined> {
    const application = (await catalogue.find(clientId))?.application
    return application && isRegistered(application) ? application : undefined
  }

  /** The project of all of them; of two that make it at once one has no effect. */
  async function missingProject(at: Date): Promise<readonly Project[]> {
    const there = await catalogue.findProject(projectId)
    return there ? [] : [{ id: projectId, name: 'Registered', roles: [], projectRoleAssertion: false, createdAt: at, changedAt: at }]
  }

  return {
    /** @throws InvalidClientMetadata */
    async put(clientId: string, metadata: AdapterPayload): Promise<void> {
      const before = await own(clientId)
      const registered = registeredFrom(metadata)
      const { idTokenSignedResponseAlg, userinfoSignedResponseAlg, introspectionSignedResponseAlg, authorizationSignedResponseAlg } =
        registered
      const algorithms = [
        idTokenSignedResponseAlg,
        userinfoSignedResponseAlg,
        introspectionSignedResponseAlg,
        authorizationSignedResponseAlg,
      ]
      await keys.ensure(
        algorithms.filter((each): each is SigningAlgorithm => each !== undefined),
        system,
      )
      const at = recorder.now()
      const application: Application = {
        ...registered,
        id: before?.id ?? newObjectId(at),
        projectId,
        clientId,
        ...secretOf(metadata.client_secret, registered.authMethod, before, clientId),
        createdAt: before?.createdAt ?? at,
        changedAt: at,
      }
      const subject = { kind: 'application', id: application.id } as const
      const fields = Object.keys(registered)
      await catalogue.commit({
        putProjects: await missingProject(at),
        putApplications: [application],
        events: [
          before
            ? recorder.event('application.changed', system, subject, { fields })
            : recorder.event('application.created', system, subject, { name: application.name, clientId, projectId }),
        ],
      })
    },

    async remove(clientId: string): Promise<void> {
      const application = await own(clientId)
      if (!application) return
      const event = recorder.event('application.removed', system, { kind: 'application', id: application.id }, { clientId })
      await catalogue.commit({ removeApplications: [application.id], events: [event] })
    },
  }

  /** A new secret as it is kept; the one that is there already stays as it is. */
  function secretOf(given: unknown, method: Application['authMethod'], before: Application | undefined, clientId: string) {
    const isSealed = method === 'clientSecretJwt'
    if (method !== 'basic' && method !== 'post' && !isSealed) return {}
    const known = isSealed ? before?.clientSecretSealed : before?.clientSecretHash
    const isKnown = known !== undefined && (typeof given !== 'string' || given === before?.clientSecretHash)
    if (isKnown) return isSealed ? { clientSecretSealed: known } : { clientSecretHash: known }
    if (typeof given !== 'string')
      throw new errors.InvalidClientMetadata('token_endpoint_auth_method: another one needs a new registration')
    return isSealed ? { clientSecretSealed: sealSecret(given, clientId) } : { clientSecretHash: hashSecret(given) }
  }
}

export type Registrar = ReturnType<typeof createRegistrar>

/** What a stranger says about names of ours is not heard; software statements are refused, because nobody's are trusted. */
export function judgeOwnMetadata(ctx: unknown, name: string, value: unknown, metadata: Record<string, unknown>): void {
  if (name === 'software_statement' && value !== undefined)
    throw new errors.UnapprovedSoftwareStatement('software_statement: none is accepted')
  if (name === 'request_uris') assertRequestUris(value)
  // Without a request it is the catalogue that speaks.
  else if (ctx !== undefined && value !== undefined) delete metadata[name]
}

function assertRequestUris(value: unknown): void {
  const isRight =
    value === undefined ||
    (Array.isArray(value) && value.every((uri) => typeof uri === 'string' && /^https?:/.test(uri) && URL.canParse(uri)))
  if (!isRight) throw new errors.InvalidClientMetadata('request_uris must only contain web uris')
}

/** The stored secret is a hash, against which what a client repeats in an update is held. */
const secretOfUpdate = (original: Step): Step =>
  function equalChecks(ctx, next) {
    const body = (ctx.oidc as unknown as { body: Record<string, unknown> }).body
    const { clientSecret, clientAuthMethod } = ctx.oidc.client as unknown as { clientSecret?: string; clientAuthMethod: string }
    const { client_secret: given } = body
    if (clientAuthMethod !== 'client_secret_jwt' && typeof given === 'string' && clientSecret && secretMatches(given, clientSecret)) {
      body.client_secret = clientSecret
    }
    return original(ctx, next)
  }

/** Wraps the step, before a Provider is made. */
export const installRegistrationSteps = () => replaceStep('registrationUpdate', 'equalChecks', secretOfUpdate)

export interface RegistrationDeps {
  readonly catalogue: Catalogue
  readonly tokens: RegistrationTokens
  readonly throttle: Pick<Throttle, 'guess'>
}

/** Judges who may register, by the setting `dynamicClientRegistration`, and leaves out of replies what nobody shall see. */
export function createRegistration({ catalogue, tokens, throttle }: RegistrationDeps): Middleware {
  return async function registration(ctx, next) {
    if (ctx.path !== path && !ctx.path.startsWith(`${path}/`)) return next()
    if (ctx.path === path && ctx.method === 'POST') await register(ctx, next)
    else await next()
    await conceal(ctx)
  }

  async function register(ctx: Context, next: () => Promise<unknown>): Promise<void> {
    const { dynamicClientRegistration: who } = (await catalogue.root()).settings
    if (who === 'closed') return refuse(ctx, 403, 'access_denied', 'registration is closed; the setting dynamicClientRegistration opens it')
    const wait = await throttle.guess('registration', ctx.ip)
    if (wait > 0) {
      ctx.set('Retry-After', String(wait))
      return refuse(ctx, 429, 'temporarily_unavailable', `there were too many registrations; try again in ${wait} seconds`)
    }
    if (who === 'open') return void (await next())
    const token = /^Bearer (\S+)$/i.exec(ctx.get('Authorization'))?.[1]
    const use = token === undefined ? undefined : await tokens.use(token)
    if (!use) {
      ctx.set('WWW-Authenticate', 'Bearer error="invalid_token", error_description="an initial access token is needed"')
      return refuse(ctx, 401, 'invalid_token', 'an initial access token is needed; "dossier registration-token create" makes one')
    }
    await next()
    // What did not come to be has not used the token up.
    if (ctx.status !== 201) await use.giveBack()
  }

  /** Takes out what is ours, and the hash that the engine takes for the secret. */
  async function conceal(ctx: Context): Promise<void> {
    const body = ctx.body as Record<string, unknown> | undefined
    if (typeof body?.client_id !== 'string') return
    const view = await catalogue.find(body.client_id)
    if (body.client_secret === view?.application.clientSecretHash) delete body.client_secret
    for (const name of ownClientMetadata) if (name !== 'request_uris') delete body[name]
  }
}

function refuse(ctx: Context, status: number, error: string, description: string): void {
  ctx.status = status
  ctx.set('Cache-Control', 'no-store')
  ctx.body = { error, error_description: description }
}
