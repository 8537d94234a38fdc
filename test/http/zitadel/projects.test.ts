/** Requests for projects, roles, applications and grants, and the bytes of their replies. What is made is called by a name in braces. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Idp, startIdp } from '../../support/idp.ts'
import { managerOf } from './clients/api.ts'

let idp: Idp
let token: string
/** What stands for a name, by the name. */
const names = new Map<string, string>()

beforeAll(async () => {
  idp = await startIdp()
  token = (await managerOf(idp, ['ORG_OWNER'])).token
  names.set('org', (await idp.domain.catalogue.root()).organization.id)
  names.set('jane', idp.jane.id)
  names.set('username', idp.jane.username)
})
afterAll(() => idp[Symbol.asyncDispose]())

const filled = (text: string) => text.replace(/\{(\w+)\}/g, (whole, name) => names.get(name) ?? whole)

/** Names in place of ids, and TIME in place of times. */
function named(text: string): string {
  const known = [...names].reduce((rest, [name, value]) => rest.replaceAll(value, `{${name}}`), text)
  return known.replace(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '"TIME"').replace(/"sequence":"\d+"/g, '"sequence":"N"')
}

async function send(method: string, path: string, body?: string) {
  const reply = await fetch(idp.url(filled(path)), {
    method,
    headers: { Authorization: `Bearer ${token}`, ...(body !== undefined && { 'Content-Type': 'application/json' }) },
    body: body === undefined ? undefined : filled(body),
  })
  return { status: reply.status, text: await reply.text() }
}

type Call = readonly [request: string, body: string | undefined, status: number, reply: string, names?: Readonly<Record<string, string>>]

const changed = '{"details":{"changeDate":"TIME","resourceOwner":"{org}"}}'
const regranted = '{"details":{"sequence":"N","changeDate":"TIME","resourceOwner":"{org}"}}'
const both = '"creationDate":"TIME","changeDate":"TIME"'
const project = `{"id":"{shop}","details":{${both},"resourceOwner":"{org}"},"name":"Shop","state":"PROJECT_STATE_ACTIVE","projectRoleAssertion":true}`
const compliance = (keys: readonly [string, string][]) =>
  `"noneCompliant":true,"complianceProblems":[${[['NotCompliant', 'The application does not comply with OpenID Connect 1.0'], ...keys]
    .map(([key, text]) => `{"key":"Application.OIDC.V1.${key}","localizedMessage":"${text}"}`)
    .join(',')}]`
const refused = (code: number, message: string, id: string) =>
  `{"code":${code},"message":"${message} (${id})","details":[{"@type":"type.googleapis.com/zitadel.v1.ErrorDetail","id":"${id}","message":"${message}"}]}`
const grant =
  '{"id":"{jane}-{shop}","details":{"sequence":"N",' +
  `${both},"resourceOwner":"{org}"},"roleKeys":["buyer"],"state":"USER_GRANT_STATE_ACTIVE","userId":"{jane}","userName":"{username}",` +
  '"firstName":"Jane","lastName":"Doe","email":"jane@acme.example","displayName":"Jane Doe","orgId":"{org}","orgName":"Dossier","orgDomain":"localhost",' +
  '"projectId":"{shop}","projectName":"Shop","preferredLoginName":"{username}","userType":"TYPE_HUMAN"}'

const first: readonly Call[] = [
  [
    'POST /management/v1/projects',
    '{"name":"Shop","projectRoleAssertion":true}',
    200,
    '{"id":"{shop}","details":{"creationDate":"TIME","resourceOwner":"{org}"}}',
    { shop: 'id' },
  ],
  ['POST /management/v1/projects', '{"name":"Shop"}', 409, refused(6, 'Project already exists on organization', 'V3-DKcYh')],
  [
    'POST /management/v1/projects',
    '{"name":"Checked","project_role_check":true}',
    501,
    '{"code":12,"message":"projectRoleCheck must be false: whether somebody was granted something is not looked at when they sign in"}',
  ],
  ['GET /management/v1/projects/{shop}', undefined, 200, `{"project":${project}}`],
  ['GET /management/v1/projects/none', undefined, 404, refused(5, 'Project not found', 'COMMAND-3M9sd')],
  [
    'POST /management/v1/projects/_search',
    '{"query":{"asc":true},"queries":[{"nameQuery":{"name":"sho","method":"TEXT_QUERY_METHOD_STARTS_WITH_IGNORE_CASE"}}]}',
    200,
    `{"details":{"totalResult":"1","viewTimestamp":"TIME"},"result":[${project}]}`,
  ],
  [
    'POST /management/v1/projects/{shop}/roles',
    '{"roleKey":"buyer","displayName":"Buys","group":"people"}',
    200,
    '{"details":{"creationDate":"TIME","resourceOwner":"{org}"}}',
  ],
  [
    'POST /management/v1/projects/{shop}/roles',
    '{"roleKey":"buyer","displayName":"Buys"}',
    409,
    refused(6, 'Project Role already exists', 'V3-DKcYh'),
  ],
  [
    'POST /management/v1/projects/{shop}/roles',
    '{"roleKey":"two words","displayName":"x"}',
    400,
    '{"code":3,"message":"roles[1].key: must be 1 to 200 printable ASCII characters without blanks, quotes and backslashes"}',
  ],
  ['POST /management/v1/projects/{shop}/roles/_bulk', '{"roles":[{"key":"seller","displayName":"Sells"}]}', 200, changed],
  ['PUT /management/v1/projects/{shop}/roles/seller', '{"displayName":"Sells things","group":"staff"}', 200, changed],
  ['PUT /management/v1/projects/{shop}/roles/none', '{"displayName":"x"}', 404, refused(5, "Project Role doesn't exist", 'COMMAND-vv8M9')],
  [
    'POST /management/v1/projects/{shop}/roles/_search',
    '{"queries":[{"keyQuery":{"key":"seller"}}]}',
    200,
    `{"details":{"totalResult":"1","viewTimestamp":"TIME"},"result":[{"key":"seller","details":{${both},"resourceOwner":"{org}"},"displayName":"Sells things","group":"staff"}]}`,
  ],
  ['DELETE /management/v1/projects/{shop}/roles/seller', undefined, 200, changed],
  ['POST /management/v1/projects/{shop}/roles/_bulk', '{"roles":[{"key":"a/b","displayName":"With a slash"}]}', 200, changed],
  ['PUT /management/v1/projects/{shop}/roles/a/b', '{"displayName":"With a slash in it"}', 200, changed],
  ['DELETE /management/v1/projects/{shop}/roles/a/b', undefined, 200, changed],
  [
    'POST /management/v1/projects/{shop}/apps/oidc',
    '{"name":"Portal","redirectUris":["https://shop.example/callback"],"responseTypes":["OIDC_RESPONSE_TYPE_CODE"],' +
      '"grantTypes":["OIDC_GRANT_TYPE_AUTHORIZATION_CODE","OIDC_GRANT_TYPE_REFRESH_TOKEN"],"appType":"OIDC_APP_TYPE_WEB",' +
      '"authMethodType":"OIDC_AUTH_METHOD_TYPE_BASIC","postLogoutRedirectUris":["https://shop.example/"],"version":"OIDC_VERSION_1_0",' +
      '"devMode":false,"accessTokenType":"OIDC_TOKEN_TYPE_JWT","accessTokenRoleAssertion":true,"idTokenUserinfoAssertion":true,"clockSkew":"1s",' +
      '"additionalOrigins":["https://api.shop.example"],"backChannelLogoutUri":"https://shop.example/logout","loginVersion":{"loginV2":{"baseUri":"https://login.shop.example"}}}',
    200,
    '{"appId":"{app}","details":{"creationDate":"TIME","resourceOwner":"{org}"},"clientId":"{client}","clientSecret":"{secret}"}',
    { app: 'appId', client: 'clientId', secret: 'clientSecret' },
  ],
  [
    'GET /management/v1/projects/{shop}/apps/{app}',
    undefined,
    200,
    `{"app":{"id":"{app}","details":{${both},"resourceOwner":"{org}"},"state":"APP_STATE_ACTIVE","name":"Portal","oidcConfig":{` +
      '"redirectUris":["https://shop.example/callback"],"responseTypes":["OIDC_RESPONSE_TYPE_CODE"],' +
      '"grantTypes":["OIDC_GRANT_TYPE_AUTHORIZATION_CODE","OIDC_GRANT_TYPE_REFRESH_TOKEN"],"clientId":"{client}",' +
      '"postLogoutRedirectUris":["https://shop.example/"],"accessTokenType":"OIDC_TOKEN_TYPE_JWT","accessTokenRoleAssertion":true,' +
      '"idTokenUserinfoAssertion":true,"clockSkew":"1s","additionalOrigins":["https://api.shop.example"],' +
      '"allowedOrigins":["https://shop.example","https://api.shop.example"],"backChannelLogoutUri":"https://shop.example/logout",' +
      '"loginVersion":{"loginV2":{"baseUri":"https://login.shop.example"}}}}}',
  ],
  [
    'POST /management/v1/projects/{shop}/apps/oidc',
    '{"name":"Portal","redirectUris":["https://shop.example/callback"]}',
    409,
    refused(6, 'Application already exists', 'V3-DKcYh'),
  ],
  [
    'POST /management/v1/projects/{shop}/apps/oidc',
    '{"name":"Bad","redirectUris":["http://shop.example/cb","app:/cb"]}',
    400,
    '{"code":3,"message":"redirectUris[0]: must be https unless its host is localhost, 127.0.0.1 or [::1]; redirectUris[1]: must be an https address, or an http one of this machine"}',
  ],
  [
    'POST /management/v1/projects/{shop}/apps/oidc',
    '{"name":"Page","redirectUris":["http://localhost:5173/cb"],"appType":"OIDC_APP_TYPE_USER_AGENT","authMethodType":"OIDC_AUTH_METHOD_TYPE_NONE"}',
    200,
    `{"appId":"{page}","details":{"creationDate":"TIME","resourceOwner":"{org}"},"clientId":"{pageClient}",${compliance([
      ['Code.RedirectUris.HttpOnlyForWeb', 'Redirect URIs with http are for web applications only'],
    ])}}`,
    { page: 'appId', pageClient: 'clientId' },
  ],
  [
    'PUT /management/v1/projects/{shop}/apps/{page}/oidc_config',
    '{"redirectUris":["http://dev.shop.example/cb"],"appType":1,"authMethodType":2,"devMode":true,"responseTypes":[0],"grantTypes":[0]}',
    200,
    changed,
  ],
  [
    'POST /management/v1/projects/{shop}/apps/{page}/oidc_config/_generate_client_secret',
    '{}',
    400,
    '{"code":9,"message":"Chosen Auth Method does not require a secret"}',
  ],
  ['PUT /management/v1/projects/{shop}/apps/{page}/api_config', '{}', 400, refused(3, 'Application is not type API', 'COMMAND-Gnwt3')],
  [
    'POST /management/v1/projects/{shop}/apps/api',
    '{"name":"Stock","authMethodType":"API_AUTH_METHOD_TYPE_BASIC"}',
    200,
    '{"appId":"{api}","details":{"creationDate":"TIME","resourceOwner":"{org}"},"clientId":"{apiClient}","clientSecret":"{apiSecret}"}',
    { api: 'appId', apiClient: 'clientId', apiSecret: 'clientSecret' },
  ],
  [
    'POST /management/v1/projects/{shop}/apps/_search',
    '{"queries":[{"nameQuery":{"name":"tock","method":"TEXT_QUERY_METHOD_ENDS_WITH"}}]}',
    200,
    `{"details":{"totalResult":"1","viewTimestamp":"TIME"},"result":[{"id":"{api}","details":{${both},"resourceOwner":"{org}"},"state":"APP_STATE_ACTIVE","name":"Stock","apiConfig":{"clientId":"{apiClient}"}}]}`,
  ],
  ['PUT /management/v1/projects/{shop}/apps/{api}', '{"name":"Stocks"}', 200, changed],
  [
    'POST /management/v1/projects/{shop}/apps/{api}/api_config/_generate_client_secret',
    '{}',
    200,
    '{"clientSecret":"{newSecret}","details":{"changeDate":"TIME","resourceOwner":"{org}"}}',
    { newSecret: 'clientSecret' },
  ],
  ['POST /management/v1/projects/{shop}/apps/{api}/_deactivate', '{}', 200, changed],
  ['POST /management/v1/projects/{shop}/apps/{api}/_deactivate', '{}', 400, refused(9, 'Application is not active', 'COMMAND-dsh35')],
  ['POST /management/v1/projects/{shop}/apps/{api}/_reactivate', '{}', 200, changed],
  ['DELETE /management/v1/projects/{shop}/apps/{api}', undefined, 200, changed],
  ['GET /management/v1/projects/{shop}/apps/{api}', undefined, 404, refused(5, "Application doesn't exist", 'COMMAND-2n8uU')],
  [
    'POST /management/v1/users/{jane}/grants',
    '{"projectId":"{shop}","roleKeys":["buyer"]}',
    200,
    '{"userGrantId":"{jane}-{shop}","details":{"sequence":"N","creationDate":"TIME","resourceOwner":"{org}"}}',
    { grant: 'userGrantId' },
  ],
  [
    'POST /management/v1/users/{jane}/grants',
    '{"projectId":"{shop}","roleKeys":["buyer"]}',
    409,
    refused(6, 'User grant already exists', 'V3-DKcYh'),
  ],
  [
    'PUT /management/v1/users/{jane}/grants/{grant}',
    '{"roleKeys":["seller"]}',
    400,
    '{"code":9,"message":"the project has no role \\"seller\\""}',
  ],
  ['GET /management/v1/users/{jane}/grants/{grant}', undefined, 200, `{"userGrant":${grant}}`],
  [
    'POST /management/v1/users/grants/_search',
    '{"query":{"limit":1},"queries":[{"projectIdQuery":{"projectId":"{shop}"}},{"roleKeyQuery":{"roleKey":"buyer"}}]}',
    200,
    `{"details":{"totalResult":"1","viewTimestamp":"TIME"},"result":[${grant}]}`,
  ],
  ['POST /management/v1/users/{jane}/grants/{grant}/_deactivate', '{}', 200, regranted],
  ['POST /management/v1/users/{jane}/grants/{grant}/_deactivate', '{}', 400, refused(9, 'User grant is not active', 'COMMAND-1S9gx')],
  ['POST /management/v1/users/{jane}/grants/{grant}/_reactivate', '{}', 200, regranted],
  ['DELETE /management/v1/user_grants/_bulk', '{"grantId":["{grant}"]}', 200, '{}'],
  ['GET /management/v1/users/{jane}/grants/{grant}', undefined, 404, refused(5, 'User grant not found', 'COMMAND-3M9sd')],
  ['PUT /management/v1/projects/{shop}', '{"name":"The shop","projectRoleAssertion":true}', 200, changed],
  ['POST /management/v1/projects/{shop}/_deactivate', '{}', 200, changed],
  ['POST /management/v1/projects/{shop}/_deactivate', '{}', 400, refused(9, 'Project is not active', 'COMMAND-mki55')],
  ['POST /management/v1/projects/{shop}/_reactivate', '{}', 200, changed],
  ['DELETE /management/v1/projects/{shop}', undefined, 200, changed],
  ['GET /management/v1/languages', undefined, 200, '{"languages":["en"]}'],
  [
    'GET /management/v1/orgs/me',
    undefined,
    200,
    `{"org":{"id":"{org}","details":{${both},"resourceOwner":"{org}"},"state":"ORG_STATE_ACTIVE","name":"Dossier","primaryDomain":"localhost"}}`,
  ],
]

const second: readonly Call[] = [
  ['POST /v2beta/projects', '{"organizationId":"{org}","id":"books","name":"Books"}', 200, '{"id":"books","creationDate":"TIME"}'],
  ['POST /v2beta/projects', '{"organizationId":"another","name":"Elsewhere"}', 403, refused(7, "Organisation doesn't exist", 'AUTH-Bs7Ds')],
  ['POST /v2beta/projects/books', '{"name":"Library"}', 200, '{"changeDate":"TIME"}'],
  [
    'GET /v2beta/projects/books',
    undefined,
    200,
    `{"project":{"id":"books","organizationId":"{org}",${both},"name":"Library","state":"PROJECT_STATE_ACTIVE"}}`,
  ],
  ['POST /v2beta/projects/books/roles', '{"roleKey":"reader","displayName":"Reads"}', 200, '{"creationDate":"TIME"}'],
  [
    'POST /v2beta/projects/books/roles/search',
    '{}',
    200,
    `{"pagination":{"totalResult":"1","appliedLimit":"100"},"projectRoles":[{"projectId":"books","key":"reader",${both},"displayName":"Reads"}]}`,
  ],
  [
    'POST /v2beta/applications',
    '{"projectId":"books","name":"Catalogue","apiRequest":{}}',
    200,
    '{"appId":"{books}","creationDate":"TIME","apiResponse":{"clientId":"{booksClient}","clientSecret":"{booksSecret}"}}',
    { books: 'appId', booksClient: 'apiResponse.clientId', booksSecret: 'apiResponse.clientSecret' },
  ],
  [
    'GET /v2beta/applications/{books}',
    undefined,
    200,
    `{"app":{"id":"{books}",${both},"state":"APP_STATE_ACTIVE","name":"Catalogue","apiConfig":{"clientId":"{booksClient}"}}}`,
  ],
  [
    'POST /v2beta/applications',
    '{"projectId":"books","name":"Old","samlRequest":{"metadataUrl":"https://sp.example/metadata"}}',
    501,
    '{"code":12,"message":"SAML is not spoken here: an application is of OpenID Connect or an API"}',
  ],
  ['POST /v2beta/projects/books/deactivate', '{}', 200, '{"changeDate":"TIME"}'],
  ['POST /v2beta/projects/books/activate', '{}', 200, '{"changeDate":"TIME"}'],
  ['DELETE /v2beta/projects/books', undefined, 200, '{"deletionDate":"TIME"}'],
  [
    'POST /v2beta/projects/grants/search',
    '{}',
    501,
    '{"code":12,"message":"zitadel.project.v2beta.ProjectService/ListProjectGrants is not served"}',
  ],
  ['GET /v2/settings', undefined, 200, '{"defaultOrgId":"{org}","defaultLanguage":"en","supportedLanguages":["en"]}'],
  [
    'GET /v2/settings/password/complexity?ctx.orgId={org}',
    undefined,
    200,
    `{"details":{"changeDate":"TIME","resourceOwner":"{org}","creationDate":"TIME"},"settings":{"minLength":"8","resourceOwnerType":"RESOURCE_OWNER_TYPE_INSTANCE"}}`,
  ],
  [
    'POST /v2/organizations/_search',
    '{"queries":[{"idQuery":{"id":"{org}"}}]}',
    200,
    '{"details":{"totalResult":"1","timestamp":"TIME"},"result":[{"id":"{org}","details":{"changeDate":"TIME","resourceOwner":"{org}","creationDate":"TIME"},"state":"ORGANIZATION_STATE_ACTIVE","name":"Dossier","primaryDomain":"localhost"}]}',
  ],
]

const valueAt = (json: unknown, path: string) => path.split('.').reduce((value, part) => (value as Record<string, unknown>)[part], json)

test.each(
  [...first, ...second].map(([request, body, ...rest]) => [`${request} ${body ?? ''}`.slice(0, 120), request, body, ...rest] as const),
)('%s', async (_, request, body, status, reply, made) => {
  const [method = '', path = ''] = request.split(' ')
  const { status: answered, text } = await send(method, path, body)
  if (answered === 200) for (const [name, at] of Object.entries(made ?? {})) names.set(name, String(valueAt(JSON.parse(text), at)))
  expect([answered, named(text)]).toEqual([status, reply])
})
