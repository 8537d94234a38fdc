type Payload = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Payload => typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * `next` with the authorizations that only `stored` has, when both are of one sign-in: two requests of one session that read it at the
 * same time each add their own client, and the later write must not take the earlier one's away. Client ids are any text, so entries
 * are defined and never assigned: `__proto__` is a name like others here.
 */
export function mergedSession(next: Payload, stored: Payload): Payload {
  if (next.accountId !== stored.accountId || next.loginTs !== stored.loginTs || !isObject(stored.authorizations)) return next
  const authorizations = isObject(next.authorizations) ? { ...next.authorizations } : {}
  for (const [clientId, value] of Object.entries(stored.authorizations)) {
    if (Object.hasOwn(authorizations, clientId)) continue
    Object.defineProperty(authorizations, clientId, { value, enumerable: true, configurable: true, writable: true })
  }
  return { ...next, authorizations }
}
