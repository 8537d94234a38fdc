// What makes pages nicer where scripts run. Every page is complete without this file; what only works with it is hidden until here.

/** Asks for a page, and puts its part with the same id in place of the one that is shown, unless something else was asked for meanwhile. */
async function refresh(address, id, signal) {
  const region = document.getElementById(id)
  if (!region) return
  region.style.setProperty('--kept', `${region.offsetHeight}px`)
  region.setAttribute('aria-busy', 'true')
  const next = await partOf(address, id, signal)
  if (signal.aborted) return
  if (!next) return location.assign(address)
  region.replaceWith(next)
  history.replaceState(null, '', address)
  prepare(next)
}

/** A part of a page; nothing when it cannot be had: the browser then says why, in its own way. */
async function partOf(address, id, signal) {
  try {
    const reply = await fetch(address, { headers: { accept: 'text/html' }, signal })
    return reply.ok ? new DOMParser().parseFromString(await reply.text(), 'text/html').getElementById(id) : null
  } catch {
    return null
  }
}

/** Forms that search while somebody types: `data-live` names the part of the page that shows what was found. */
function searchWhileTyping(form) {
  let waiting
  let asking = new AbortController()
  const search = () => {
    asking.abort()
    asking = new AbortController()
    refresh(`${form.action.split('?')[0]}?${new URLSearchParams(new FormData(form))}`, form.dataset.live, asking.signal)
  }
  form.addEventListener('input', () => {
    clearTimeout(waiting)
    waiting = setTimeout(search, 250)
  })
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    clearTimeout(waiting)
    search()
  })
}

/** A name as somebody types it who reads it on a page, where blanks are one. */
const typed = (name) => name.trim().replaceAll(/\s+/g, ' ')

/** A button whose form destroys something waits until the name of that has been typed; the server looks again. */
function waitForName(input) {
  const button = input.form?.querySelector('button[type=submit]:not(.quiet)')
  if (!button) return
  const judge = () => {
    button.disabled = typed(input.value) !== typed(input.dataset.typed)
  }
  input.addEventListener('input', judge)
  judge()
}

function copyOnPress(button) {
  button.classList.add('ready')
  button.addEventListener('click', async () => {
    const source = document.getElementById(button.dataset.copy)
    if (!source) return
    await navigator.clipboard.writeText('value' in source ? source.value : source.textContent.trim())
    const before = button.textContent
    button.textContent = button.dataset.done ?? before
    setTimeout(() => {
      button.textContent = before
    }, 2000)
  })
}

/** Shows a moment in the reader's own time when they point at it. */
function tellLocalTime(time) {
  const at = new Date(time.dateTime)
  if (!Number.isNaN(at.getTime())) time.title = at.toLocaleString(document.documentElement.lang, { dateStyle: 'full', timeStyle: 'long' })
}

function prepare(root) {
  for (const form of root.querySelectorAll('form[data-live]')) searchWhileTyping(form)
  for (const input of root.querySelectorAll('input[data-typed]')) waitForName(input)
  for (const button of root.querySelectorAll('button[data-copy]')) copyOnPress(button)
  for (const time of root.querySelectorAll('time[datetime]')) tellLocalTime(time)
  for (const part of root.querySelectorAll('[data-scripted]')) part.hidden = false
}

prepare(document)
