import { stepUpCheck } from './acr.ts'
import { interactionPolicy } from './internals.ts'

/** The engine's own policy, with `select_account`, and without asking a native application of the operator's own again and again. */
export function policy() {
  const { base, Check, Prompt } = interactionPolicy
  const prompts = base()
  prompts.add(new Prompt({ name: 'select_account', requestable: true }), 0)
  prompts.add(new Prompt({ name: 'create', requestable: true }), 0)
  const consent = prompts.get('consent')
  consent?.checks.remove('native_client_prompt')
  const login = prompts.get('login')
  login?.checks.add(stepUpCheck())
  // A session whose user was removed or switched off since: the engine would go on without an account and fail.
  login?.checks.add(
    new Check('account_gone', 'the End-User of the session may not sign in', 'login_required', (ctx) =>
      ctx.oidc.session?.accountId !== undefined && ctx.oidc.account === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
    ),
  )
  return prompts
}
