/** When and by which change something came to be what it is: `ObjectDetails` of the first API and `Details` of the second are the same. */
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { User } from '#src/domain/users/user.ts'

type Dated = Pick<User, 'sequence' | 'createdAt' | 'changedAt'>

/** Of something that is read. */
export const detailsOf = ({ sequence, createdAt, changedAt }: Dated, resourceOwner: string) => ({
  sequence: BigInt(sequence),
  creationDate: timestampFromDate(createdAt),
  changeDate: timestampFromDate(changedAt),
  resourceOwner,
})

/** Of something that was just made, as the first API answers. */
export const createdDetails = ({ sequence, createdAt }: Pick<Dated, 'sequence' | 'createdAt'>, resourceOwner: string) => ({
  sequence: BigInt(sequence),
  creationDate: timestampFromDate(createdAt),
  resourceOwner,
})

/** Of something that was just changed. */
export const changedDetails = ({ sequence, changedAt }: Pick<Dated, 'sequence' | 'changedAt'>, resourceOwner: string) => ({
  sequence: BigInt(sequence),
  changeDate: timestampFromDate(changedAt),
  resourceOwner,
})

/** How many there are in all, and when that was looked at. */
export const listDetails = (total: number, at: Date) => ({ totalResult: BigInt(total), viewTimestamp: timestampFromDate(at) })
