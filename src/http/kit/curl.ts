/** A request as a line for a shell. */
export interface ShownRequest {
  readonly method: 'GET' | 'POST'
  readonly address: string
  /** Name and password of HTTP's basic authentication, form-encoded as OAuth wants it (RFC 6749, section 2.3.1). */
  readonly basic?: readonly [name: string, password: string]
  readonly bearer?: string
  readonly form?: Readonly<Record<string, string>>
  readonly json?: unknown
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

/** Stands for a secret that is not shown. */
export const secretVariable = '$CLIENT_SECRET'

const userOf = ([name, password]: readonly [string, string]) =>
  password === secretVariable
    ? `"${encodeURIComponent(name)}:${password}"`
    : quoted(`${encodeURIComponent(name)}:${encodeURIComponent(password)}`)

/** `request` as a curl line that any POSIX shell takes. */
export function curlLine({ method, address, basic, bearer, form, json }: ShownRequest): string {
  const parts = [
    `curl --silent${method === 'POST' && !form && json === undefined ? ' --request POST' : ''} ${quoted(address)}`,
    ...(basic ? [`--user ${userOf(basic)}`] : []),
    ...(bearer === undefined ? [] : [`--header ${quoted(`Authorization: Bearer ${bearer}`)}`]),
    ...Object.entries(form ?? {}).map(([name, value]) => `--data-urlencode ${quoted(`${name}=${value}`)}`),
    ...(json === undefined ? [] : [`--json ${quoted(JSON.stringify(json))}`]),
  ]
  return parts.join(' \\\n  ')
}

/** What is sent for `request`. */
export function sentOf({ method, basic, bearer, form, json }: ShownRequest) {
  const authorization = basic
    ? `Basic ${Buffer.from(basic.map(encodeURIComponent).join(':')).toString('base64')}`
    : bearer && `Bearer ${bearer}`
  const body = form ? new URLSearchParams(form).toString() : json === undefined ? undefined : JSON.stringify(json)
  const type = form ? 'application/x-www-form-urlencoded' : 'application/json'
  return {
    method,
    headers: {
      accept: 'application/json',
      ...(authorization && { authorization }),
      ...(body !== undefined && { 'content-type': type }),
    },
    ...(body !== undefined && { body }),
  }
}
