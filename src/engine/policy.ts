import { stepUpCheck } from './acr.ts'
import { interactionPolicy } from './internals.ts'

/**
 * The engine's own policy, with `select_account` and `create`. Whoever comes by a native application is asked again each time, because another program may
 * have taken its place (RFC 8252, section 8.6); by one of the operator's own never, as everywhere.
 */
export function policy() {
  const { base, Check, Prompt } = interactionPolicy
  const prompts = base()
  prompts.add(new Prompt({ name: 'select_account', requestable: true }), 0)
  prompts.add(new Prompt({ name: 'create', requestable: true }), 0)
  const consent = prompts.get('consent')
  const asking = consent?.checks.get('native_client_prompt')
  if (asking) {
    const { check } = asking
    asking.check = (ctx) => (ctx.oidc.client?.first_party === true ? Check.NO_NEED_TO_PROMPT : check(ctx))
  }
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
