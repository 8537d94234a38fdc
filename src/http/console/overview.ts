import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { AreaPage } from '../kit/area.ts'

export interface OverviewNeeds {
  readonly catalogue: Pick<Catalogue, 'root'>
}

/** `/console`: what is running, and what needs attention. */
export const overviewPages = ({ catalogue }: OverviewNeeds): readonly AreaPage[] => [
  {
    method: 'GET',
    path: '',
    async handle(visit) {
      const { organization } = await catalogue.root()
      await visit.show('console/overview', { organization: organization.name })
    },
  },
]
