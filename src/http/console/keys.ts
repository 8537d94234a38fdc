/** Signing keys: which there are, a successor, and taking a former one away. */
import type { SigningAlgorithm } from '#src/domain/applications/application.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import { type Keys, longestTokenSecondsOf, publishAheadSeconds } from '#src/domain/keys/keys.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { confirmation } from '../kit/confirmation.ts'
import { signingAlgorithms } from './applicationForm.ts'

export interface KeysNeeds {
  readonly keys: Pick<Keys, 'list' | 'rotate' | 'retire'>
  readonly catalogue: Pick<Catalogue, 'root'>
}

export function keyPages({ keys, catalogue }: KeysNeeds): readonly AreaPage[] {
  const algorithmIn = (visit: Visit): SigningAlgorithm | undefined => signingAlgorithms.find((each) => each === visit.query('algorithm'))

  return [
    {
      method: 'GET',
      path: '/keys',
      permission: 'iam.read',
      async handle(visit) {
        const all = (await keys.list()).toSorted((a, b) => b.activeFrom.getTime() - a.activeFrom.getTime())
        const algorithms = [...new Set(all.map(({ algorithm }) => algorithm))].toSorted()
        const waiting = new Set(all.filter(({ phase }) => phase === 'published').map(({ algorithm }) => algorithm))
        await visit.show('console/keys', { keys: all, algorithms, waiting, mayWrite: visit.may('iam.write') })
      },
    },
    ...confirmation({
      path: '/keys/rotate',
      permission: 'iam.write',
      async ask(visit) {
        const algorithm = algorithmIn(visit)
        const { t } = visit.texts
        return {
          title: algorithm ? t('console.keys.rotateTitle', { algorithm }) : t('console.keys.rotateAllTitle'),
          what: t('console.keys.rotateWhat', { minutes: publishAheadSeconds / 60 }),
          submit: t('console.keys.rotate'),
          isGiving: true,
          back: '/console/keys',
        }
      },
      async act(visit) {
        const longestTokenSeconds = longestTokenSecondsOf((await catalogue.root()).settings)
        await keys.rotate({ algorithm: algorithmIn(visit), longestTokenSeconds }, visit.actor)
        visit.go('/keys', 'saved')
      },
    }),
    ...confirmation({
      path: '/keys/retire',
      permission: 'iam.write',
      async ask(visit) {
        const key = (await keys.list()).find(({ kid, phase }) => kid === visit.query('kid') && phase !== 'signing')
        const { t } = visit.texts
        return (
          key && {
            title: t('console.keys.retireTitle'),
            what: t(`console.keys.retireWhat.${key.phase}`, { kid: key.kid, algorithm: key.algorithm }),
            name: key.kid,
            submit: t('console.keys.retire'),
            back: '/console/keys',
          }
        )
      },
      async act(visit) {
        await keys.retire(visit.query('kid'), visit.actor)
        visit.go('/keys', 'removed')
      },
    }),
  ]
}
