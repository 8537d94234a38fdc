import { personNameIn } from '#src/base/forms.ts'
import { AppRefused, authError } from '../failures.ts'
import { type CallFunction, FunctionFailed } from '../functions.ts'
import type { VouchFor } from '../logins.ts'
import { systemUser } from '../userObject.ts'

/** `custom-function`: a function of the app says who it is, by any text of its own (contracts/app-services.md, section 3.5). */
export function createVouchForCustomFunction({ callFunction }: { callFunction: CallFunction }): VouchFor {
  return async function vouchForCustomFunction(view, credentials, facts) {
    const name = view.configuration.providers.get('custom-function')?.config?.authFunctionName
    if (!name) throw authError('the custom-function provider names no function (config.authFunctionName)')
    const answer = await callFunction({ view, name, arguments: [credentials], user: systemUser, facts }).catch((error: unknown) => {
      if (!(error instanceof FunctionFailed)) throw error
      throw new AppRefused(401, 'AuthError', error.message, { cause: error })
    })
    const { id, name: displayName } =
      typeof answer === 'object' && answer !== null ? (answer as { id?: unknown; name?: unknown }) : { id: answer }
    const key =
      typeof id === 'string' ? id : typeof id === 'number' || (typeof id === 'object' && id !== null && '_bsontype' in id) ? String(id) : ''
    if (key === '' || key.length > 1000) throw authError('the authentication function must return an id of 1 to 1000 characters')
    const named = typeof displayName === 'string' && displayName !== '' ? { name: displayName } : {}
    const called = named.name && personNameIn(named.name)
    return { provider: 'custom-function', key, data: named, ...(called !== undefined && { profile: { displayName: called } }) }
  }
}
