import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'

type IdToken = InstanceType<Provider['IdToken']> & {
  ctx?: KoaContextWithOIDC
  client: { clientId: string }
  payload(): Promise<Record<string, unknown>>
  set(key: string, value: unknown): void
}

/**
 * Gives ID tokens what the engine has no option for: the audience of ZITADEL (the whole project) with `azp`, `client_id`, and `at_hash`
 * in the code flow too (relying-parties.md).
 */
export function installIdTokens(
  provider: Provider,
  catalogue: Catalogue,
  issuedAccessToken: (ctx: KoaContextWithOIDC) => string | undefined,
): void {
  const { issue } = provider.IdToken.prototype
  Object.assign(provider.IdToken.prototype, {
    async issue(this: IdToken, options: { use: string }) {
      if (options.use !== 'idtoken') return issue.call(this, options as never)
      const { clientId } = this.client
      const view = await catalogue.find(clientId)
      this.set('azp', clientId)
      this.set('client_id', clientId)
      const accessToken = this.ctx && issuedAccessToken(this.ctx)
      if (accessToken !== undefined) this.set('at_hash', accessToken)
      const payload = await this.payload()
      const skew = view?.application.clockSkewSeconds ?? 0
      if (skew > 0 && typeof payload.auth_time === 'number') payload.auth_time -= skew
      if (view?.application.audience === 'project') {
        // The audience is the client id of `this.client`; the payload is made first, while the client is still the real one.
        const { siblingClientIds, project } = view
        const audience = [...new Set([clientId, ...siblingClientIds, project.id])]
        this.payload = async () => payload
        this.client = Object.create(this.client, { clientId: { value: audience } })
      }
      return issue.call(this, options as never)
    },
  })
}
