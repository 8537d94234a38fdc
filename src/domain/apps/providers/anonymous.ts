import { newObjectId } from '#src/base/ids.ts'
import type { VouchFor } from '../logins.ts'

/** `anon-user`: everybody is somebody new. */
export const vouchForAnonymous: VouchFor = async () => ({ provider: 'anon-user', key: newObjectId(), data: {} })
