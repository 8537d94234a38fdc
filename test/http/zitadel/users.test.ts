/**
 * The calls about users of ZITADEL's guide and API reference, as curl sends them: each request with its reply to the byte. Ids, moments and secrets, which differ
 * from run to run, stand as `<name>`; they are read from the reply that told them first.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Idp, password, person, startIdp } from '../../support/idp.ts'
import { managerOf } from './clients/api.ts'

interface Call {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly body?: unknown
  /** Who calls; a manager unless it says otherwise. */
  readonly as?: string
  readonly status?: number
  readonly reply: string
  /** Fields of the reply that later calls name. */
  readonly keep?: Readonly<Record<string, string>>
}

const created = '"details":{"sequence":"1","creationDate":"<time>","resourceOwner":"<org>"}'
const changed = (sequence: number) => `{"details":{"sequence":"${sequence}","changeDate":"<time>","resourceOwner":"<org>"}}`
const details = (sequence: number) =>
  `"details":{"sequence":"${sequence}","creationDate":"<time>","changeDate":"<time>","resourceOwner":"<org>"}`
const v2Details = (sequence: number) =>
  `"details":{"sequence":"${sequence}","changeDate":"<time>","resourceOwner":"<org>","creationDate":"<time>"}`
const refusal = (code: number, text: string, id: string) =>
  `{"code":${code},"message":"${text} (${id})","details":[{"@type":"type.googleapis.com/zitadel.v1.ErrorDetail","id":"${id}","message":"${text}"}]}`
const notFound = refusal(5, 'User could not be found', 'QUERY-Dfbg2')

const minnie = (sequence: number) =>
  `{"userId":"<minnie>","state":"USER_STATE_ACTIVE","username":"minnie-mouse","loginNames":["minnie-mouse"],` +
  '"preferredLoginName":"minnie-mouse","human":{"profile":{"givenName":"Minnie","familyName":"Mouse","nickName":"Mini","displayName":"Minnie Mouse",' +
  '"preferredLanguage":"en","gender":"GENDER_FEMALE"},"email":{"email":"mini@mouse.com","isVerified":true},"phone":{"phone":"+41791234567"}},' +
  `${v2Details(sequence)}}`

const second: readonly Call[] = [
  {
    name: 'create a person with metadata',
    method: 'POST',
    path: '/v2/users/human',
    body: {
      username: 'minnie-mouse',
      organization: { orgId: '<org>' },
      profile: {
        givenName: 'Minnie',
        familyName: 'Mouse',
        nickName: 'Mini',
        displayName: 'Minnie Mouse',
        preferredLanguage: 'en',
        gender: 'GENDER_FEMALE',
      },
      email: { email: 'mini@mouse.com', isVerified: true },
      phone: { phone: '+41791234567', sendCode: {} },
      metadata: [{ key: 'my-key', value: 'VGhpcyBpcyBteSB0ZXN0IHZhbHVl' }],
      password: { password: 'Secr3tP4ssw0rd!', changeRequired: true },
    },
    reply: `{"userId":"<minnie>",${v2Details(2)}}`,
    keep: { minnie: 'userId' },
  },
  { name: 'get a person', method: 'GET', path: '/v2/users/<minnie>', reply: `{${v2Details(2)},"user":${minnie(2)}}` },
  {
    name: 'search by metadata',
    method: 'POST',
    path: '/v2/users',
    body: {
      query: { offset: '0', limit: 100, asc: true },
      sortingColumn: 'USER_FIELD_NAME_CREATION_DATE',
      queries: [
        { metadataKeyFilter: { key: 'my-', method: 'TEXT_FILTER_METHOD_STARTS_WITH' } },
        { metadataValueFilter: { value: 'VGhpcyBpcyBteSB0ZXN0IHZhbHVl', method: 'BYTE_FILTER_METHOD_EQUALS' } },
      ],
    },
    reply: `{"details":{"totalResult":"1","timestamp":"<time>"},"sortingColumn":"USER_FIELD_NAME_CREATION_DATE","result":[${minnie(2)}]}`,
  },
  {
    name: 'search for nobody',
    method: 'POST',
    path: '/v2/users',
    body: { queries: [{ user_name_query: { user_name: 'nobody' } }] },
    reply: '{"details":{"timestamp":"<time>"}}',
  },
  {
    name: 'search too much',
    method: 'POST',
    path: '/v2/users',
    body: { query: { limit: 1001 } },
    status: 400,
    reply: refusal(3, 'Limit exceeded', 'QUERY-4M0fs'),
  },
  {
    name: 'search by nothing',
    method: 'POST',
    path: '/v2/users',
    body: { queries: [{}] },
    status: 400,
    reply:
      '{"code":3,"message":"invalid ListUsersRequest.Queries[0]: embedded message failed validation | caused by: invalid SearchQuery.Query: value is required"}',
  },
  {
    name: 'create somebody again',
    method: 'POST',
    path: '/v2/users/human',
    body: { username: 'Minnie-Mouse', profile: { givenName: 'M', familyName: 'M' }, email: { email: 'm@mouse.com' } },
    status: 409,
    reply: refusal(6, 'User already exists', 'V3-DKcYh'),
  },
  {
    name: 'create somebody without a name',
    method: 'POST',
    path: '/v2/users/human',
    body: { profile: { givenName: '', familyName: 'M' }, email: { email: 'm@mouse.com' } },
    status: 400,
    reply:
      '{"code":3,"message":"invalid AddHumanUserRequest.Profile: embedded message failed validation | caused by: invalid SetHumanProfile.GivenName: value length must be between 1 and 200 runes, inclusive"}',
  },
  {
    name: 'create a service account',
    method: 'POST',
    path: '/v2/users/new',
    body: { organizationId: '<org>', machine: { name: 'Robot' }, metadata: [{ key: 'site', value: 'Wg==' }] },
    reply: '{"id":"<robot>","creationDate":"<time>"}',
    keep: { robot: 'id' },
  },
  {
    name: 'change an e-mail address',
    method: 'POST',
    path: '/v2/users/<minnie>/email',
    body: { email: 'minnie@mouse.com', returnCode: {} },
    reply: '{"details":{"sequence":"3","changeDate":"<time>","resourceOwner":"<org>"},"verificationCode":"<code>"}',
    keep: { code: 'verificationCode' },
  },
  {
    name: 'verify it',
    method: 'POST',
    path: '/v2/users/<minnie>/email/verify',
    body: { verificationCode: '<code>' },
    reply: changed(4),
  },
  {
    name: 'verify it again',
    method: 'POST',
    path: '/v2/users/<minnie>/email/verify',
    body: { verificationCode: '<code>' },
    status: 400,
    reply: refusal(3, 'Code is invalid', 'CODE-woT0xc'),
  },
  {
    name: 'change a phone number',
    method: 'POST',
    path: '/v2/users/<minnie>/phone',
    body: { phone: '+41790000000', isVerified: true },
    reply: changed(5),
  },
  { name: 'remove it', method: 'DELETE', path: '/v2/users/<minnie>/phone', reply: changed(6) },
  {
    name: 'change a person',
    method: 'PUT',
    path: '/v2/users/human/<minnie>',
    body: { username: 'minnie', profile: { givenName: 'Minnie', familyName: 'Maus' } },
    reply: changed(7),
  },
  {
    name: 'change a part of one',
    method: 'PATCH',
    path: '/v2/users/<minnie>',
    body: { human: { profile: { nickName: 'M' } } },
    reply: '{"changeDate":"<time>"}',
  },
  {
    name: 'ask for a code to set a password',
    method: 'POST',
    path: '/v2/users/<minnie>/password_reset',
    body: { returnCode: {} },
    reply: '{"details":{"sequence":"8","changeDate":"<time>","resourceOwner":"<org>"},"verificationCode":"<reset>"}',
    keep: { reset: 'verificationCode' },
  },
  {
    name: 'set it',
    method: 'POST',
    path: '/v2/users/<minnie>/password',
    body: { newPassword: { password: 'Secr3tP4ssw0rd!' }, verificationCode: '<reset>' },
    reply: changed(9),
  },
  {
    name: 'set it with a wrong one',
    method: 'POST',
    path: '/v2/users/<minnie>/password',
    body: { newPassword: { password: 'Secr3tP4ssw0rd!' }, currentPassword: 'wrong' },
    status: 400,
    reply: refusal(3, 'Password is invalid', 'COMMAND-3M0fs'),
  },
  {
    name: 'ways to sign in',
    method: 'GET',
    path: '/v2/users/<minnie>/authentication_methods',
    reply: '{"details":{"totalResult":"1","timestamp":"<time>"},"authMethodTypes":["AUTHENTICATION_METHOD_TYPE_PASSWORD"]}',
  },
  { name: 'deactivate', method: 'POST', path: '/v2/users/<minnie>/deactivate', body: {}, reply: changed(10) },
  {
    name: 'deactivate again',
    method: 'POST',
    path: '/v2/users/<minnie>/deactivate',
    status: 400,
    reply: refusal(9, 'User is already inactive', 'COMMAND-5gunjw0cd7'),
  },
  { name: 'reactivate', method: 'POST', path: '/v2/users/<minnie>/reactivate', body: {}, reply: changed(11) },
  { name: 'lock', method: 'POST', path: '/v2/users/<minnie>/lock', body: {}, reply: changed(12) },
  { name: 'unlock', method: 'POST', path: '/v2/users/<minnie>/unlock', body: {}, reply: changed(13) },
  { name: 'delete', method: 'DELETE', path: '/v2/users/<minnie>', reply: changed(14) },
  { name: 'get whoever is gone', method: 'GET', path: '/v2/users/<minnie>', status: 404, reply: notFound },
  {
    name: 'add a personal access token',
    method: 'POST',
    path: '/v2/users/<robot>/pats',
    body: { expirationDate: '2519-04-01T08:45:00Z' },
    reply: '{"creationDate":"<time>","tokenId":"<pat>","token":"<secret>"}',
    keep: { pat: 'tokenId', secret: 'token' },
  },
  {
    name: 'list them',
    method: 'POST',
    path: '/v2/users/pats/search',
    body: { filters: [{ userIdFilter: { id: '<robot>' } }] },
    reply:
      '{"pagination":{"totalResult":"1","appliedLimit":"100"},"result":[{"creationDate":"<time>","changeDate":"<time>","id":"<pat>","userId":"<robot>","organizationId":"<org>","expirationDate":"<time>"}]}',
  },
  { name: 'remove one', method: 'DELETE', path: '/v2/users/<robot>/pats/<pat>', reply: '{"deletionDate":"<time>"}' },
  {
    name: 'add a client secret',
    method: 'POST',
    path: '/v2/users/<robot>/secret',
    body: {},
    reply: '{"creationDate":"<time>","clientSecret":"<clientSecret>"}',
    keep: { clientSecret: 'clientSecret' },
  },
  { name: 'remove it again', method: 'DELETE', path: '/v2/users/<robot>/secret', reply: '{"deletionDate":"<time>"}' },
  {
    name: 'without the right',
    method: 'POST',
    path: '/v2/users',
    as: 'stranger',
    status: 404,
    reply: refusal(5, 'membership not found', 'AUTHZ-cdgFk'),
  },
]

const gigi =
  `{"id":"<gigi>",${details(1)},"state":"USER_STATE_ACTIVE","userName":"gigi-giraffe","loginNames":["gigi-giraffe"],"preferredLoginName":"gigi-giraffe",` +
  '"human":{"profile":{"firstName":"Gigi","lastName":"Giraffe","nickName":"Gigi","displayName":"Gigi Giraffe","preferredLanguage":"en","gender":"GENDER_FEMALE"},' +
  '"email":{"email":"gigi@caos.ch","isEmailVerified":true},"phone":{"phone":"+41 71 000 00 00","isPhoneVerified":true}}}'

const first: readonly Call[] = [
  {
    name: 'import a person',
    method: 'POST',
    path: '/management/v1/users/human/_import',
    body: {
      userName: 'gigi-giraffe',
      profile: {
        firstName: 'Gigi',
        lastName: 'Giraffe',
        nickName: 'Gigi',
        displayName: 'Gigi Giraffe',
        preferredLanguage: 'en',
        gender: 'GENDER_FEMALE',
      },
      email: { email: 'gigi@caos.ch', isEmailVerified: true },
      phone: { phone: '+41 71 000 00 00', isPhoneVerified: true },
      hashedPassword: { value: '$2y$12$hXUrnqdq1RIIYZ2HPytIIe5lXdIvbhqrTvdPsSF7o.jFh817Z6lwm' },
    },
    reply: `{"userId":"<gigi>",${created}}`,
    keep: { gigi: 'userId' },
  },
  { name: 'get a person', method: 'GET', path: '/management/v1/users/<gigi>', reply: `{"user":${gigi}}` },
  {
    name: 'get a person by name',
    method: 'GET',
    path: '/management/v1/global/users/_by_login_name?loginName=gigi-giraffe',
    reply: `{"user":${gigi}}`,
  },
  {
    name: 'search',
    method: 'POST',
    path: '/management/v1/users/_search',
    body: {
      query: { limit: 100, asc: true },
      sortingColumn: 'USER_FIELD_NAME_EMAIL',
      queries: [{ emailQuery: { emailAddress: 'GIGI@', method: 'TEXT_QUERY_METHOD_STARTS_WITH_IGNORE_CASE' } }],
    },
    reply: `{"details":{"totalResult":"1","viewTimestamp":"<time>"},"sortingColumn":"USER_FIELD_NAME_EMAIL","result":[${gigi}]}`,
  },
  {
    name: 'a name that is free',
    method: 'GET',
    path: '/management/v1/users/_is_unique?userName=gigi&email=gigi@giraffe.example',
    reply: '{"isUnique":true}',
  },
  { name: 'a name that is taken', method: 'GET', path: '/management/v1/users/_is_unique?userName=GIGI-giraffe', reply: '{}' },
  {
    name: 'profile',
    method: 'GET',
    path: '/management/v1/users/<gigi>/profile',
    reply: `{${details(1)},"profile":${/"profile":(\{.*?\})/.exec(gigi)?.[1]}}`,
  },
  {
    name: 'address',
    method: 'GET',
    path: '/management/v1/users/<gigi>/email',
    reply: `{${details(1)},"email":{"email":"gigi@caos.ch","isEmailVerified":true}}`,
  },
  {
    name: 'number',
    method: 'GET',
    path: '/management/v1/users/<gigi>/phone',
    reply: `{${details(1)},"phone":{"phone":"+41 71 000 00 00","isPhoneVerified":true}}`,
  },
  {
    name: 'change the profile',
    method: 'PUT',
    path: '/management/v1/users/<gigi>/profile',
    body: { firstName: 'Gigi', lastName: 'Gazelle', displayName: 'Gigi Gazelle' },
    reply: changed(2),
  },
  {
    name: 'change the address',
    method: 'PUT',
    path: '/management/v1/users/<gigi>/email',
    body: { email: 'gigi@zitadel.com', isEmailVerified: true },
    reply: changed(3),
  },
  {
    name: 'change the number',
    method: 'PUT',
    path: '/management/v1/users/<gigi>/phone',
    body: { phone: '+41 71 000 00 01' },
    reply: changed(4),
  },
  { name: 'remove the number', method: 'DELETE', path: '/management/v1/users/<gigi>/phone', reply: changed(5) },
  {
    name: 'remove it again',
    method: 'DELETE',
    path: '/management/v1/users/<gigi>/phone',
    status: 404,
    reply: refusal(5, 'Phone not found', 'COMMAND-p6rsc'),
  },
  { name: 'change the name', method: 'PUT', path: '/management/v1/users/<gigi>/username', body: { userName: 'gigi' }, reply: changed(6) },
  {
    name: 'set the password',
    method: 'POST',
    path: '/management/v1/users/<gigi>/password',
    body: { password: 'Secr3tP4ssw0rd!', noChangeRequired: true },
    reply: changed(7),
  },
  {
    name: 'history',
    method: 'POST',
    path: '/management/v1/users/<gigi>/changes/_search',
    body: { query: { limit: 1 } },
    reply:
      '{"result":[{"changeDate":"<time>","eventType":{"key":"EventTypes.user.human.password.changed","localizedMessage":"Password changed"},"sequence":"7",' +
      '"editorId":"<manager>","editorDisplayName":"<managerName>","resourceOwnerId":"<org>","editorPreferredLoginName":"<managerName>"}]}',
  },
  { name: 'lock', method: 'POST', path: '/management/v1/users/<gigi>/_lock', body: {}, reply: changed(8) },
  { name: 'unlock', method: 'POST', path: '/management/v1/users/<gigi>/_unlock', body: {}, reply: changed(9) },
  { name: 'deactivate', method: 'POST', path: '/management/v1/users/<gigi>/_deactivate', body: {}, reply: changed(10) },
  { name: 'reactivate', method: 'POST', path: '/management/v1/users/<gigi>/_reactivate', body: {}, reply: changed(11) },
  {
    name: 'reactivate again',
    method: 'POST',
    path: '/management/v1/users/<gigi>/_reactivate',
    body: {},
    status: 400,
    reply: refusal(9, 'User is not inactive', 'COMMAND-6M0sf'),
  },
  { name: 'remove', method: 'DELETE', path: '/management/v1/users/<gigi>', reply: changed(12) },
  { name: 'get whoever is gone', method: 'GET', path: '/management/v1/users/<gigi>', status: 404, reply: notFound },
  {
    name: 'create a machine',
    method: 'POST',
    path: '/management/v1/users/machine',
    body: { userName: 'calculator', name: 'calculator', description: 'adds up' },
    reply: `{"userId":"<machine>",${created}}`,
    keep: { machine: 'userId' },
  },
  {
    name: 'get it',
    method: 'GET',
    path: '/management/v1/users/<machine>',
    reply: `{"user":{"id":"<machine>",${details(1)},"state":"USER_STATE_ACTIVE","userName":"calculator","loginNames":["calculator"],"preferredLoginName":"calculator","machine":{"name":"calculator","description":"adds up"}}}`,
  },
  {
    name: 'give it a token',
    method: 'POST',
    path: '/management/v1/users/<machine>/pats',
    body: {},
    reply: `{"tokenId":"<token>","token":"<secret>",${created}}`,
    keep: { token: 'tokenId', secret: 'token' },
  },
  {
    name: 'get that',
    method: 'GET',
    path: '/management/v1/users/<machine>/pats/<token>',
    reply:
      '{"token":{"id":"<token>","details":{"creationDate":"<time>","changeDate":"<time>","resourceOwner":"<org>"},"expirationDate":"9999-01-01T00:00:00Z"}}',
  },
  { name: 'remove that', method: 'DELETE', path: '/management/v1/users/<machine>/pats/<token>', reply: changed(1) },
  {
    name: 'give it a secret',
    method: 'PUT',
    path: '/management/v1/users/<machine>/secret',
    body: {},
    reply:
      '{"clientId":"calculator","clientSecret":"<clientSecret>","details":{"sequence":"2","changeDate":"<time>","resourceOwner":"<org>"}}',
    keep: { clientSecret: 'clientSecret' },
  },
  {
    name: 'without the right',
    method: 'GET',
    path: '/management/v1/users/<machine>',
    as: 'stranger',
    status: 403,
    reply: refusal(7, 'No matching permissions found', 'AUTH-5mWD2'),
  },
]

const own: readonly Call[] = [
  {
    name: 'account',
    method: 'GET',
    path: '/auth/v1/users/me',
    as: 'jane',
    reply:
      `{"user":{"id":"<jane>",${details(2)},"state":"USER_STATE_ACTIVE","userName":"jane","loginNames":["jane"],"preferredLoginName":"jane","human":{"profile":{"firstName":"Jane",` +
      '"lastName":"Doe","nickName":"JD","displayName":"Jane Doe","preferredLanguage":"en","gender":"GENDER_FEMALE"},"email":{"email":"jane@acme.example","isEmailVerified":true},"phone":{"phone":"+41 44 000 00 00"}}}}',
  },
  {
    name: 'password',
    method: 'PUT',
    path: '/auth/v1/users/me/password',
    as: 'jane',
    body: { oldPassword: password, newPassword: 'Secr3tP4ssw0rd!' },
    reply: changed(3),
  },
  { name: 'sessions', method: 'POST', path: '/auth/v1/users/me/sessions/_search', as: 'jane', body: {}, reply: '{}' },
  { name: 'permissions', method: 'POST', path: '/auth/v1/permissions/zitadel/me/_search', as: 'jane', reply: '{}' },
  {
    name: 'memberships',
    method: 'POST',
    path: '/auth/v1/memberships/me/_search',
    as: 'jane',
    body: {},
    reply: '{"details":{"viewTimestamp":"<time>"}}',
  },
]

describe.each([
  { api: 'the second API', calls: second },
  { api: 'the first API, for managers', calls: first },
  { api: 'the first API, for everybody', calls: own },
])('by $api', ({ calls }) => {
  let idp: Idp
  /** What stands for what. */
  const known = new Map<string, string>()
  const tokens: Record<string, string> = {}

  beforeAll(async () => {
    idp = await startIdp()
    const { domain } = idp
    known.set('org', (await domain.catalogue.root()).organization.id)
    const manager = await managerOf(idp, ['ORG_OWNER'])
    known.set('managerName', (await domain.users.get(manager.id as typeof idp.jane.id)).username)
    known.set('manager', manager.id)
    tokens.manager = manager.token
    tokens.stranger = (await managerOf(idp, [])).token
    const jane = await domain.users.create(person({ username: 'jane' }), { kind: 'system' })
    known.set('jane', jane.id)
    tokens.jane = (await domain.users.createToken(jane.id, { name: 'own' }, { kind: 'system' })).token
  })
  afterAll(() => idp[Symbol.asyncDispose]())

  const filled = (text: string) => text.replace(/<(\w+)>/g, (whole, name: string) => known.get(name) ?? whole)
  function blanked(text: string): string {
    const times = text.replace(/"(?!9999)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"/g, '"<time>"')
    return [...known].reduce((result, [name, value]) => result.replaceAll(value, `<${name}>`), times)
  }

  test.each(calls)('$name: $method $path', async ({ method, path, body, as = 'manager', status = 200, reply, keep = {} }) => {
    const sent = body === undefined ? {} : { body: filled(JSON.stringify(body)), headers: { 'Content-Type': 'application/json' } }
    const answer = await fetch(idp.url(filled(path)), {
      method,
      ...sent,
      headers: { ...sent.headers, Authorization: `Bearer ${tokens[as]}` },
    })
    const text = await answer.text()
    for (const [name, field] of Object.entries(keep)) known.set(name, JSON.parse(text)[field])
    expect([answer.status, blanked(text)]).toEqual([status, reply])
    expect(text).not.toMatch(/\$argon2|\$2y\$|passwordHash|secretHash/)
  })
})
