import type { Clock } from '#src/base/clock.ts'
import type { Apps } from '../apps/apps.ts'
import type { AppUser, userObjectOf } from '../apps/userObject.ts'
import type { ArtifactStore } from '../sessions/store.ts'
import type { User } from '../users/user.ts'
import { triggersFor } from './trigger.ts'

const model = 'LeftAppUser'
const keptMs = 30 * 24 * 3600_000

export type Leavers = ReturnType<typeof createLeavers>

/** What people were when they left an app, for the triggers that are told of it afterwards. */
export function createLeavers({
  apps,
  artifacts,
  userObject,
  now,
}: {
  readonly apps: Pick<Apps, 'find'>
  readonly artifacts: Pick<ArtifactStore, 'find' | 'put'>
  readonly userObject: typeof userObjectOf
  readonly now: Clock
}) {
  return {
    /** To be called while they are there still. Kept only where somebody is told. */
    async keep(user: User, app: string): Promise<void> {
      const view = await apps.find(app)
      if (!view) return
      const object = userObject(user, app)
      const providers = object.identities.map(({ provider_type }) => provider_type)
      if (triggersFor(view, { operationType: 'DELETE', providers }).length === 0) return
      await artifacts.put({ model, id: `${app} ${user.id}`, payload: { user: object }, expiresAt: new Date(now().getTime() + keptMs) })
    },

    find: async (userId: string, app: string): Promise<AppUser | undefined> =>
      (await artifacts.find(model, `${app} ${userId}`))?.payload.user as AppUser | undefined,
  }
}
