/** Organization and settings. What is saved here is what an `apply` of the same would write: its rules judge it, and an export tells it. */
import { createHash } from 'node:crypto'
import { DomainError } from '#src/base/errors.ts'
import type { Catalogue } from '#src/domain/applications/catalogue.ts'
import type { CatalogueRoot } from '#src/domain/applications/store.ts'
import { organizationOf, settingsOf } from '#src/domain/provisioning/export.ts'
import { FileFaults } from '#src/domain/provisioning/faults.ts'
import { readConfigurationFile } from '#src/domain/provisioning/file.ts'
import type { createProvisioning } from '#src/domain/provisioning/provisioning.ts'
import { profileFields } from '#src/domain/provisioning/settings.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import type { SentForm } from '../kit/sentForm.ts'
import { durations, faultsByField, filedOf, shownOf, typedIn } from './settingsForm.ts'

export interface SettingsNeeds {
  readonly catalogue: Pick<Catalogue, 'root'>
  readonly provisioning: Pick<ReturnType<typeof createProvisioning>, 'apply'>
}

/** Nothing that is set here is a secret. */
const noSecrets = { environment: () => undefined, file: () => undefined }

/** Somebody who waits for a page does not wait for a large file. */
const patienceMs = 10_000

/** Somebody else has saved since the form was made. */
class SettingsMoved extends DomainError {
  readonly code = 'settings.moved'
  constructor() {
    super('somebody else has saved the settings meanwhile')
  }
}

/** Tells whether somebody else has saved meanwhile. */
const markOf = ({ organization, settings }: CatalogueRoot) =>
  createHash('sha256')
    .update(JSON.stringify([organizationOf(organization), settingsOf(settings)]))
    .digest('base64url')
    .slice(0, 22)

export function settingsPages({ catalogue, provisioning }: SettingsNeeds): readonly AreaPage[] {
  const show = async (visit: Visit) =>
    visit.show('console/settings', { shown: shownOf(await catalogue.root()), durations, mayWrite: visit.may('iam.policy.write') })

  async function edit(visit: Visit, facts: Readonly<Record<string, unknown>> = {}, status = 200): Promise<void> {
    const root = await catalogue.root()
    const trail = [{ href: '/console/settings', label: visit.texts.t('console.sections.settings') }]
    const given = { shown: shownOf(root), mark: markOf(root), faults: {}, durations, profileFields, trail }
    await visit.show('console/settingsEdit', { ...given, ...facts }, status)
  }

  async function save(visit: Visit, form: SentForm): Promise<void> {
    const mark = form.text('mark')
    async function assertStill(): Promise<void> {
      if (mark !== markOf(await catalogue.root())) throw new SettingsMoved()
    }
    try {
      await assertStill()
      const file = readConfigurationFile(JSON.stringify(filedOf(form)), 'settings', noSecrets)
      await provisioning.apply(file, visit.actor, { assertStill, patienceMs })
      visit.go('/settings', 'saved')
    } catch (error) {
      const isFaulty = error instanceof FileFaults
      const problem = isFaulty ? visit.texts.t('console.settings.faults') : visit.problemOf(error)
      const faults = isFaulty ? faultsByField(error) : {}
      // The next attempt is measured by what it was made from, too: nothing of theirs is overwritten unseen.
      await edit(visit, { problem, faults, mark, shown: typedIn(form) }, error instanceof SettingsMoved ? 409 : 400)
    }
  }

  return [
    { method: 'GET', path: '/settings', permission: 'iam.policy.read', handle: show },
    // They open the house: registration, applications of strangers, how long tokens live.
    {
      method: 'GET',
      path: '/settings/edit',
      permission: 'iam.policy.write',
      isDangerous: true,
      isLong: true,
      handle: (visit) => edit(visit),
    },
    { method: 'POST', path: '/settings/edit', permission: 'iam.policy.write', isDangerous: true, isLong: true, handle: save },
  ]
}
