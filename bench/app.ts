/** The App Services app of the benchmark: its folder, and people who are logged in to it. */
import type { Domain } from '#src/compose.ts'

/** What the driver knows of somebody who is logged in to the app. */
export interface AppLogin {
  readonly accessToken: string
  readonly refreshToken: string
}

export const clientAppId = 'bench-abcde'
/** Each connection has somebody of its own: one account is not tried by many at once. */
export const appPerson = (index: number) => ({ username: `app-${index}@bench.example`, password: 'a password of the benchmark' })

const files: Readonly<Record<string, unknown>> = {
  'realm_config.json': { app_id: clientAppId, name: 'bench' },
  'auth/providers.json': {
    'anon-user': { name: 'anon-user', type: 'anon-user' },
    'local-userpass': { name: 'local-userpass', type: 'local-userpass', config: { autoConfirm: true } },
  },
  'auth/custom_user_data.json': {
    enabled: true,
    mongo_service_name: 'mongodb-atlas',
    database_name: 'bench',
    collection_name: 'users',
    user_id_field: 'user_id',
  },
  'data_sources/mongodb-atlas/config.json': { name: 'mongodb-atlas', type: 'mongodb-atlas' },
  'functions/config.json': [
    { name: 'one', private: false },
    { name: 'fill', private: false, run_as_system: true },
  ],
  'functions/one.js': 'exports = () => 1',
  'functions/fill.js': `exports = () => {
    const users = context.services.get("mongodb-atlas").db("bench").collection("users")
    return users.updateOne({ user_id: context.user.id }, { $set: { text: "x".repeat(1950) } }, { upsert: true })
  }`,
}

/** Makes the app. */
export async function seedApp({ apps }: Domain): Promise<void> {
  const folder = new Map(
    Object.entries(files).map(([path, content]) => [path, Buffer.from(typeof content === 'string' ? content : JSON.stringify(content))]),
  )
  await apps.push(clientAppId, folder, { kind: 'system' })
}

/** Logs `count` people in at a running server, each with a document of 2 KB, and registers as many who come with a password. */
export async function appLoginsAt(issuer: string, count: number): Promise<readonly AppLogin[]> {
  const app = `${issuer}/api/client/v2.0/app/${clientAppId}`
  const post = async (url: string, body: object, token?: string) => {
    const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
    const reply = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!reply.ok) throw new Error(`${url} answered ${reply.status}: ${await reply.text()}`)
    const text = await reply.text()
    return (text === '' ? {} : JSON.parse(text)) as { readonly access_token: string; readonly refresh_token: string }
  }
  const logins: AppLogin[] = []
  for (let each = 0; each < count; each += 1) {
    const { username: email, password } = appPerson(each)
    await post(`${app}/auth/providers/local-userpass/register`, { email, password })
    const { access_token: accessToken, refresh_token: refreshToken } = await post(`${app}/auth/providers/anon-user/login`, {})
    await post(`${app}/functions/call`, { name: 'fill', arguments: [] }, accessToken)
    logins.push({ accessToken, refreshToken })
  }
  return logins
}
