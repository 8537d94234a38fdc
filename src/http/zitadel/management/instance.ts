/** What there is one of: the organization, and the instance, which is this server. */
import { ManagementService } from '@zitadel/proto/zitadel/management_pb.js'
import { OrgState } from '@zitadel/proto/zitadel/org_pb.js'
import { handlerOf } from '../handler.ts'
import { organizationDetails, type ProjectsNeeds, supportedLanguages } from '../projects.ts'

export function instanceHandlers(needs: ProjectsNeeds) {
  const { method } = ManagementService
  const { catalogue, issuer, ownProjectId } = needs

  return [
    handlerOf(method.getMyOrg, async () => {
      const root = await catalogue.root()
      const { id, name, primaryDomain } = root.organization
      return { org: { id, details: organizationDetails(root), state: OrgState.ACTIVE, name, primaryDomain } }
    }),

    handlerOf(method.getIAM, async () => {
      const { id } = (await catalogue.root()).organization
      return { globalOrgId: id, iamProjectId: ownProjectId(), defaultOrgId: id }
    }),

    handlerOf(method.getOIDCInformation, async () => ({
      issuer,
      discoveryEndpoint: new URL('/.well-known/openid-configuration', issuer).href,
    })),

    handlerOf(method.getSupportedLanguages, async () => ({ languages: [...supportedLanguages] })),
  ]
}
