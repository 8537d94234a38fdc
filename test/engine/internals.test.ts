/** What we rely on behind the engine's public interface. An upgrade that breaks one of these breaks it here. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { engineConfiguration } from '#src/engine/configuration.ts'
import {
  AlreadyUsedError,
  dpopProofOf,
  type Endpoint,
  errors,
  fetchGuarded,
  interactionPolicy,
  isSpecialUseIP,
  Provider,
  replaceKeys,
  replaceStep,
  stateOf,
} from '#src/engine/internals.ts'

test('the engine is the version that was read', () => {
  const packages = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const installed = JSON.parse(readFileSync(new URL('../../node_modules/oidc-provider/package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  expect(packages.dependencies['oidc-provider']).toBe(installed.version)
})

test('the steps that are wrapped exist, and a missing one is an error', () => {
  const steps: readonly (readonly [Endpoint, string])[] = [
    ['introspection', 'rejectStructuredTokens'],
    ['introspection', 'renderTokenResponse'],
    ['revocation', 'rejectStructuredTokens'],
    ['token', 'authenticateClient'],
    ['introspection', 'authenticateClient'],
    ['revocation', 'authenticateClient'],
    ['deviceAuthorization', 'authenticateClient'],
    ['pushedAuthorization', 'authenticateClient'],
    ['token', 'urlencoded'],
    ['introspection', 'urlencoded'],
    ['authorization', 'loadPushedAuthorizationRequest'],
    ['authorization', 'checkScope'],
    ['pushedAuthorization', 'checkScope'],
    ['deviceAuthorization', 'checkScope'],
    ...(['authorization', 'pushedAuthorization', 'deviceAuthorization'] as const).flatMap(
      (endpoint) =>
        [
          [endpoint, 'rejectUnsupported'],
          [endpoint, 'rejectRegistration'],
        ] as const,
    ),
    ['registration', 'registrationResponse'],
    ['registrationRead', 'clientReadResponse'],
    ['registrationUpdate', 'equalChecks'],
    ['registrationUpdate', 'clientUpdateResponse'],
    ['endSession', 'endSessionChecks'],
    ['endSessionConfirm', 'endSession'],
  ]
  for (const [endpoint, name] of steps) replaceStep(endpoint, name, (original) => original)
  expect(() => replaceStep('token', 'noSuchStep', (original) => original)).toThrow('oidc-provider has no step token.noSuchStep')
})

test('the private state has what is taken from it, and keys can be replaced', () => {
  const provider = new Provider('http://localhost:1', { jwks: { keys: [] } })
  const state = stateOf(provider)
  expect(state.configuration.scopes.has('openid')).toBe(true)
  expect(state.grantTypeHandlers).toBeInstanceOf(Map)
  for (const mode of ['query', 'fragment', 'form_post']) expect(state.responseModes.get(mode)).toBeTypeOf('function')
  expect(state.configuration.cookies.long).toBeTypeOf('object')
  expect(typeof state.configuration.features.rpInitiatedLogout.postLogoutSuccessSource).toBe('function')
  replaceKeys(provider, [])
})

test('the prototypes that are overridden have the methods', () => {
  const provider = new Provider('http://localhost:1', { jwks: { keys: [] } })
  const models = provider as unknown as Record<string, { prototype: Record<string, unknown> }>
  for (const [model, methods] of [
    ['AccessToken', ['save', 'generateTokenId']],
    ['ClientCredentials', ['save', 'generateTokenId']],
    ['RefreshToken', ['save']],
    ['IdToken', ['issue', 'payload']],
    ['Claims', ['result']],
    ['Client', ['compareClientSecret', 'includeSid', 'backchannelLogout']],
  ] as const) {
    for (const method of methods) expect(models[model]?.prototype[method], `${model}#${method}`).toBeTypeOf('function')
  }
  const { ReplayDetection, AccessToken } = provider as unknown as Record<string, { unique?: unknown; IN_PAYLOAD?: unknown }>
  expect(ReplayDetection?.unique).toBeTypeOf('function')
  expect(AccessToken?.IN_PAYLOAD).toContain('grantId')
  // Outside a request there is no proof.
  expect(dpopProofOf(provider)).toBeUndefined()
  expect(interactionPolicy.base().get('consent')?.checks.get('native_client_prompt')?.check).toBeTypeOf('function')
})

test('what is read of a request and of errors is there', () => {
  const { OIDCContext } = new Provider('http://localhost:1', { jwks: { keys: [] } }) as unknown as { OIDCContext: { prototype: object } }
  for (const name of ['acr', 'requestParamOIDCScopes', 'requestParamScopes', 'requestParamClaims']) {
    expect(Object.getOwnPropertyDescriptor(OIDCContext.prototype, name)?.get, name).toBeTypeOf('function')
  }
  expect(new errors.InvalidGrant('why')).toMatchObject({ message: 'invalid_grant', error_detail: 'why' })
  expect(fetchGuarded).toBeTypeOf('function')
  expect([isSpecialUseIP('127.0.0.1'), isSpecialUseIP('203.0.114.1')]).toEqual([true, false])
})

test('errors and the interaction policy come from where the package takes them', async () => {
  const entry = await import('oidc-provider')
  expect(errors.InvalidGrant).toBe(entry.errors.InvalidGrant)
  expect(interactionPolicy.Prompt).toBe(entry.interactionPolicy.Prompt)
  expect(Provider).toBe(entry.Provider)
  // The pages of the device flow know it by its name.
  expect(new AlreadyUsedError().name).toBe('AlreadyUsedError')
})

test('every function for which the engine has a default that complains in plain text is ours, in every feature that is on', () => {
  const names = [...read('lib/helpers/defaults.js').matchAll(/(?:should|must)Change\('([\w.]+)'/g)].map(([, name = '']) => name)
  expect(names.length).toBeGreaterThan(30)
  const configuration = engineConfiguration({
    catalogue: {},
    pages: {},
    settings: () => ({}),
    outboundAllow: [],
    trustsProxy: true,
  } as never)
  const features = configuration.features as Readonly<Record<string, { readonly enabled?: boolean }>>
  const isOff = (name: string) => {
    const [kind, feature = ''] = name.split('.')
    // Lifetimes of what only the features make that are off.
    if (kind === 'ttl') return feature === 'BackchannelAuthenticationRequest' || feature === 'PreAuthorizedCode'
    return kind === 'features' && features[feature]?.enabled !== true
  }
  const givenTo = (name: string) =>
    name.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], configuration)
  const missing = names.filter((name) => !isOff(name) && givenTo(name) === undefined && name !== 'findAccount')
  expect(missing).toEqual([])
})

const read = (path: string) => readFileSync(new URL(`../../node_modules/oidc-provider/${path}`, import.meta.url), 'utf8')
