/** A single-page application on `oidc-client-ts`: code + PKCE, tokens in this tab only, renewed with the refresh token. */
const metadataClaim = 'urn:zitadel:iam:user:metadata'
const { UserManager } = window.oidc

const settings = await (await fetch('/settings.json')).json()
const manager = new UserManager({
  ...settings,
  redirect_uri: `${location.origin}/callback.html`,
  post_logout_redirect_uri: `${location.origin}/`,
  scope: `openid profile email offline_access ${metadataClaim}`,
  // Metadata is in userinfo; it is in the ID token only where the application asks for that.
  loadUserInfo: true,
})
const element = (id) => document.getElementById(id)

/** The text of a metadata value, which is base64url; a value that is no text is told by its size. */
function textOf(value) {
  const bytes = Uint8Array.from(atob(value.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return `${bytes.length} bytes`
  }
}

function rowOf([key, value]) {
  const row = document.createElement('tr')
  row.insertCell().textContent = key
  row.insertCell().textContent = textOf(value)
  return row
}

function show(user) {
  element('problem').hidden = true
  element('signed-out').hidden = Boolean(user)
  element('signed-in').hidden = !user
  if (!user) return
  const { name, email, [metadataClaim]: metadata = {} } = user.profile
  element('name').textContent = name ?? user.profile.sub
  element('email').textContent = email ?? ''
  element('metadata').replaceChildren(...Object.entries(metadata).map(rowOf))
  element('no-metadata').hidden = Object.keys(metadata).length > 0
  const expires = new Date(user.expires_at * 1000)
  element('expires').dateTime = expires.toISOString()
  element('expires').textContent = expires.toLocaleString()
}

/** Does `work`, and says what went wrong. */
async function attempt(work) {
  try {
    await work()
  } catch (error) {
    console.error(error)
    const isUnreachable = error instanceof TypeError
    element('problem').textContent = isUnreachable ? `${settings.authority} cannot be reached.` : (error.error_description ?? error.message)
    element('problem').hidden = false
  }
}

element('sign-in').addEventListener('click', () => attempt(() => manager.signinRedirect()))
element('renew').addEventListener('click', () => attempt(() => manager.signinSilent()))
element('sign-out').addEventListener('click', () => attempt(() => manager.signoutRedirect()))
manager.events.addUserLoaded(show)
manager.events.addUserUnloaded(() => show(null))

show(await manager.getUser())
if (location.pathname === '/callback.html') {
  await attempt(() => manager.signinCallback())
  // The code is used up: a reload must not present it again.
  history.replaceState(null, '', '/')
}
