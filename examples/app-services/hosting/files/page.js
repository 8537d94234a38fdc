/* global Realm */
const app = new Realm.App(await (await fetch('settings.json')).json())
const { Credentials } = Realm
const element = (id) => document.getElementById(id)

function show() {
  const user = app.currentUser
  element('signed-out').hidden = user !== null
  element('signed-in').hidden = user === null
  if (!user) return
  const { customData } = user
  element('name').textContent = user.profile.email ?? 'guest'
  element('color').value = customData.favorite_color
  element('data').replaceChildren(
    ...Object.entries(customData).map(([field, value]) => {
      const row = document.createElement('tr')
      row.insertCell().textContent = field
      row.insertCell().textContent = value
      return row
    }),
  )
}

/** Does something, and shows what came of it. */
async function act(work) {
  element('problem').hidden = true
  try {
    await work()
  } catch (error) {
    element('problem').textContent = error.error ?? error.message
    element('problem').hidden = false
  }
  show()
}

const given = () => ({ email: element('email').value, password: element('password').value })
const logIn = ({ email, password }) => app.logIn(Credentials.emailPassword(email, password))

element('log-in').addEventListener('submit', (event) => {
  event.preventDefault()
  act(() => logIn(given()))
})
element('register').addEventListener('click', () => {
  if (!element('log-in').reportValidity()) return
  act(async () => {
    await app.emailPasswordAuth.registerUser(given())
    await logIn(given())
  })
})
element('anonymous').addEventListener('click', () => act(() => app.logIn(Credentials.anonymous())))
element('color').addEventListener('change', ({ target }) =>
  act(async () => {
    await app.currentUser.functions.setFavoriteColor(target.value)
    await app.currentUser.refreshCustomData()
  }),
)
element('log-out').addEventListener('click', () => act(() => app.currentUser.logOut()))

show()
