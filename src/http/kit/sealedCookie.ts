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
  // Nobody else can seal: a signature beside it would say the same again.
  const options = { httpOnly: true, sameSite: 'lax', secure, path: '/', overwrite: true, signed: false } as const
  return {
    /** What it holds; a value that we did not seal holds nothing. */
    read(ctx: Context): T | undefined {
      const sealed = ctx.cookies.get(name, options)
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

/** Browsers keep no cookie over 4096 bytes, and say nothing: what is sealed is a third longer than this, and has a name. */
const mostBytes = 2600

/**
 * Several of them in one cookie, for what somebody may begin in several tabs: each is found by its `state`, once, until `seconds` have gone by. The oldest make room when there are more
 * than `most`, or more than a cookie holds.
 */
export function awaitedCookie<T extends { readonly state: string }>(
  plainName: string,
  { seconds, most, now, ...sealing }: Sealing & { readonly seconds: number; readonly most: number; readonly now: () => Date },
) {
  const cookie = sealedCookie<readonly (T & { readonly at: number })[]>(plainName, sealing)
  const awaited = (ctx: Context) => (cookie.read(ctx) ?? []).filter(({ at }) => at + seconds * 1000 > now().getTime())
  return {
    put(ctx: Context, each: T): void {
      const all = [...awaited(ctx), { ...each, at: now().getTime() }].slice(-most)
      while (all.length > 1 && Buffer.byteLength(JSON.stringify(all)) > mostBytes) all.shift()
      cookie.write(ctx, all)
    },
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
