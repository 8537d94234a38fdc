import type { AreaPage } from '../kit/area.ts'
import { confirmation } from '../kit/confirmation.ts'
import type { AccountNeeds } from './account.ts'

/** `/account/delete`: the end of an account, after a time in which it can be kept. */
export const deletionPages = ({ deletions, catalogue, pages }: AccountNeeds): readonly AreaPage[] =>
  confirmation({
    path: '/delete',
    async ask({ user, texts: { t } }) {
      const { accountDeletionGraceSeconds } = (await catalogue.root()).settings
      const days = Math.max(1, Math.floor(accountDeletionGraceSeconds / 86_400))
      return {
        title: t('account.delete.title'),
        what: `${t('account.delete.what')} ${t('account.delete.grace', { days })}`,
        name: user.username,
        submit: t('account.delete.submit'),
        back: '/account',
      }
    },
    async act({ ctx, user, texts }) {
      const { deletionAt } = await deletions.request(user.id)
      const date = texts.long(new Date(deletionAt ?? 0))
      const back = { href: '/account', label: texts.t('account.deleted.keep') }
      await pages.show(ctx, 'interactions/notice', {
        title: texts.t('account.deleted.title'),
        say: texts.t('account.deleted.say', { date }),
        back,
      })
    },
  })
