import { expect, test } from 'vitest'
import type { Application } from '#src/domain/applications/application.ts'
import { complianceProblemsOf } from '#src/domain/applications/compliance.ts'
import { application } from '../support/records.ts'

const web = { type: 'web', authMethod: 'basic', grantTypes: ['authorizationCode'], redirectUris: ['https://app.example/cb'] } as const
const spa = { ...web, type: 'userAgent', authMethod: 'none' } as const
const native = { ...web, type: 'native', authMethod: 'none', redirectUris: ['com.example.app:/cb'] } as const
const implicit = { grantTypes: ['implicit'], responseTypes: ['id_token'] } as const

const cases: readonly (readonly [string, Partial<Application>, readonly string[]])[] = [
  ['a web application with https', web, []],
  ['a web application with http', { ...web, redirectUris: ['http://app.example/cb'] }, []],
  ['a web application with a scheme of its own', { ...web, redirectUris: ['app:/cb'] }, ['Code.RedirectUris.CustomOnlyForNative']],
  ['nowhere to go back to', { ...web, redirectUris: [] }, ['NoRedirectUris']],
  ['nowhere to go back to, and nobody to send back', { ...web, grantTypes: ['deviceCode'], redirectUris: [] }, []],
  [
    'device codes and codes with nowhere to go back to',
    { ...web, grantTypes: ['deviceCode', 'authorizationCode'], redirectUris: [] },
    ['NoRedirectUris'],
  ],
  ['a single page with https', spa, []],
  ['a single page with http', { ...spa, redirectUris: ['http://localhost:5173/cb'] }, ['Code.RedirectUris.HttpOnlyForWeb']],
  ['a single page with http that is being developed', { ...spa, redirectUris: ['http://localhost:5173/cb'], devMode: true }, []],
  ['a single page with a secret', { ...spa, authMethod: 'post' }, ['UserAgent.AuthMethodType.NotNone']],
  ['a native application with a scheme of its own', native, []],
  [
    'a native application on its own machine',
    { ...native, redirectUris: ['http://127.0.0.1:4000/cb', 'http://[::1]/cb', 'http://localhost/'] },
    [],
  ],
  ['a native application on the web', { ...native, redirectUris: ['http://app.example/cb'] }, ['Native.RedirectUris.MustBeHttpLocalhost']],
  [
    'a native application that seems local',
    { ...native, redirectUris: ['http://localhost.example/cb'] },
    ['Native.RedirectUris.MustBeHttpLocalhost'],
  ],
  ['a native application with a secret', { ...native, authMethod: 'basic' }, ['Native.AuthMethodType.NotNone']],
  ['implicit with https', { ...spa, ...implicit }, []],
  ['implicit with http', { ...spa, ...implicit, redirectUris: ['http://app.example/cb'] }, ['Implicit.RedirectUris.HttpNotAllowed']],
  ['implicit with a scheme of its own', { ...native, ...implicit }, ['Implicit.RedirectUris.CustomNotAllowed']],
  [
    'both ways with a scheme of its own',
    { ...web, grantTypes: ['authorizationCode', 'implicit'], responseTypes: ['code', 'id_token'], redirectUris: ['app:/cb'] },
    ['Implicit.RedirectUris.CustomNotAllowed'],
  ],
  [
    'refresh tokens without codes',
    { ...spa, grantTypes: ['implicit', 'refreshToken'], responseTypes: ['id_token'] },
    ['GrantType.Refresh.NoAuthCode'],
  ],
  ['refresh tokens with device codes', { ...native, grantTypes: ['deviceCode', 'refreshToken'] }, []],
  ['a response type without its grant', { ...web, responseTypes: ['code', 'id_token'] }, ['ResponseType.NoGrantType']],
  ['code without its grant', { ...spa, grantTypes: ['implicit'], responseTypes: ['code', 'id_token'] }, ['ResponseType.NoGrantType']],
  [
    'everything at once, in order',
    {
      ...native,
      authMethod: 'basic',
      grantTypes: ['authorizationCode', 'implicit'],
      responseTypes: ['code'],
      redirectUris: ['http://a.example'],
    },
    ['Native.RedirectUris.MustBeHttpLocalhost', 'Native.AuthMethodType.NotNone'],
  ],
]

test.each(cases)('%s', (_, given, expected) => {
  const found = complianceProblemsOf(application({ projectId: 'p', ...given }))
  const all = expected.length === 0 ? [] : ['NotCompliant', ...expected]
  expect(found.map(({ key }) => key)).toEqual(all.map((key) => `Application.OIDC.V1.${key}`))
  for (const { message } of found) expect(message).not.toBe('')
})
