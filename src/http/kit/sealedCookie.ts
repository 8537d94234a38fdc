import type { Context } from 'koa'

export interface Sealing {
  readonly secure: boolean
  readonly seal: (text: string, context: string) => string
  /** Throws what it cannot open. */
  readonly open: (sealed: string, context: string) => string
}

/** A cookie whose value only this server reads and makes: sealed, out of reach of scripts, and sent along when a person comes from another site by a link. */
export function sealedCookie<T extends object>(plainName: string, { secure, seal, open }: Sealing) {
  const name = `${secure ? '__Host-' : ''}${plainName}`
  const options = { httpOnly: true, sameSite: 'lax', secure, path: '/', overwrite: true } as const
  return {
    /** What it holds; a value that we did not seal holds nothing. */
    read(ctx: Context): T | undefined {
      const sealed = ctx.cookies.get(name)
      if (!sealed) return undefined
      try {
        return JSON.parse(open(sealed, name)) as T
      } catch {
        return undefined
      }
    },

    /** Without a value, takes it away. */
    write(ctx: Context, value: T | undefined): void {
      ctx.cookies.set(name, value === undefined ? null : seal(JSON.stringify(value), name), options)
    },
  }
}

/** Several of them in one cookie, for what somebody may begin in several tabs: each is found by its `state`, once, until `seconds` have gone by. */
export function awaitedCookie<T extends { readonly state: string }>(
  plainName: string,
  { seconds, most, now, ...sealing }: Sealing & { readonly seconds: number; readonly most: number; readonly now: () => Date },
) {
  const cookie = sealedCookie<readonly (T & { readonly at: number })[]>(plainName, sealing)
  const awaited = (ctx: Context) => (cookie.read(ctx) ?? []).filter(({ at }) => at + seconds * 1000 > now().getTime())
  return {
    put: (ctx: Context, each: T): void => cookie.write(ctx, [...awaited(ctx), { ...each, at: now().getTime() }].slice(-most)),
    take(ctx: Context, state: string): T | undefined {
      const all = awaited(ctx)
      const found = all.find((each) => each.state === state)
      if (found) {
        const rest = all.filter((each) => each !== found)
        cookie.write(ctx, rest.length > 0 ? rest : undefined)
      }
      return found
    },
  }
}
