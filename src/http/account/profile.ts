import { AccountInvalid } from '#src/domain/accounts/accounts.ts'
import { mayManage, type ProfileChanges, plainFields } from '#src/domain/accounts/profile.ts'
import { heldIn } from '#src/domain/applications/heldRoles.ts'
import type { User } from '#src/domain/users/user.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import { faultTexts } from '../kit/faults.ts'
import type { SentForm } from '../kit/sentForm.ts'
import type { AccountNeeds } from './account.ts'

const addressParts = [
  { name: 'formatted', autocomplete: 'off' },
  { name: 'street_address', autocomplete: 'street-address' },
  { name: 'postal_code', autocomplete: 'postal-code' },
  { name: 'locality', autocomplete: 'address-level2' },
  { name: 'region', autocomplete: 'address-level1' },
  { name: 'country', autocomplete: 'country-name' },
] as const

const autocompletes: Readonly<Record<(typeof plainFields)[number], string>> = {
  displayName: 'name',
  givenName: 'given-name',
  familyName: 'family-name',
  nickName: 'nickname',
  gender: 'sex',
  locale: 'language',
  picture: 'photo',
}

/** What is known of somebody, for a page: lines of a label and a text. */
export function profileLines({ t }: Pick<Visit['texts'], 't'>, { username, profile }: User): readonly { label: string; text: string }[] {
  const plain = plainFields.map((field) => ({ label: t(`account.field.${field}`), text: profile[field] ?? '' }))
  const parts = addressParts.map(({ name }) => ({ label: t(`account.address.${name}`), text: profile.address?.[name] ?? '' }))
  return [{ label: t('account.field.username'), text: username }, ...plain, ...parts].filter(({ text }) => text !== '')
}

/** The roles that somebody holds, by the names of projects. */
export async function rolesOf({ catalogue }: Pick<AccountNeeds, 'catalogue'>, user: User) {
  const { projects } = await catalogue.root()
  const held = Object.keys(user.roles).map((id) => ({ project: projects.get(id)?.name ?? id, roles: heldIn(user, projects.get(id)) }))
  return held.filter(({ roles }) => roles.length > 0)
}

/** `/account`: who somebody is, and what of it they may change. */
export function profilePages(needs: AccountNeeds): readonly AreaPage[] {
  const { catalogue, profiles } = needs
  const policy = async () => (await catalogue.root()).settings

  async function showForm(visit: Visit, form?: SentForm, faults: Readonly<Record<string, string>> = {}, problem?: string): Promise<void> {
    const { t } = visit.texts
    const settings = await policy()
    const { profile } = visit.user
    const fields = plainFields
      .filter((field) => mayManage(settings, field))
      .map((name) => ({
        name,
        label: t(`account.field.${name}`),
        value: form?.raw(name) ?? profile[name] ?? '',
        autocomplete: autocompletes[name],
        fault: faults[name],
      }))
    const address = mayManage(settings, 'address')
      ? addressParts.map(({ name, autocomplete }) => ({
          name: `address.${name}`,
          label: t(`account.address.${name}`),
          value: form?.raw(`address.${name}`) ?? profile.address?.[name] ?? '',
          autocomplete,
          fault: faults[`address.${name}`],
        }))
      : []
    const isFine = problem === undefined && Object.keys(faults).length === 0
    const trail = [{ href: '/account', label: t('account.sections.profile') }]
    await visit.show('account/edit-profile', { fields, address, trail, problem }, isFine ? 200 : 400)
  }

  /** What a form says of the fields that it has. */
  function changesOf(form: SentForm): ProfileChanges {
    const texts = plainFields.filter((name) => form.has(name)).map((name) => [name, form.text(name)] as const)
    const parts = addressParts.filter(({ name }) => form.has(`address.${name}`)).map(({ name }) => [name, form.text(`address.${name}`)])
    return { ...Object.fromEntries(texts), ...(parts.length > 0 && { address: Object.fromEntries(parts) }) }
  }

  return [
    {
      method: 'GET',
      path: '',
      async handle(visit) {
        const settings = await policy()
        const { user, texts } = visit
        const mayEdit = plainFields.some((field) => mayManage(settings, field)) || mayManage(settings, 'address')
        await visit.show('account/profile', {
          user,
          lines: profileLines(texts, user),
          roles: await rolesOf(needs, user),
          mayEdit,
          mayEmail: mayManage(settings, 'email'),
          mayPhone: mayManage(settings, 'phone'),
        })
      },
    },
    { method: 'GET', path: '/profile', handle: (visit) => showForm(visit) },
    {
      method: 'POST',
      path: '/profile',
      async handle(visit, form) {
        try {
          await profiles.edit(visit.user.id, changesOf(form))
          visit.go('', 'saved')
        } catch (error) {
          if (error instanceof AccountInvalid) return showForm(visit, form, faultTexts(visit.texts, error.faults))
          return showForm(visit, form, {}, visit.problemOf(error))
        }
      },
    },
  ]
}
