// What the playground does in the browser alone: it checks signatures against the published keys, decodes pasted tokens, and passes on an answer in a fragment.

const algorithms = {
  RS256: [{ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, {}],
  PS256: [{ name: 'RSA-PSS', hash: 'SHA-256' }, { saltLength: 32 }],
  ES256: [{ name: 'ECDSA', namedCurve: 'P-256' }, { hash: 'SHA-256' }],
  EdDSA: [{ name: 'Ed25519' }, {}],
}

const bytesOf = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
const textOf = (part) => new TextDecoder().decode(bytesOf(part))

let published
const keys = () => {
  published ??= fetch('/oauth/v2/keys').then((reply) => reply.json())
  return published
}

/** `right`, `wrong`, `unknown` for a key or an algorithm that is not ours, `none` for what cannot be checked here. */
async function verdictOf(token) {
  const [header, payload, signature] = token.split('.')
  const { alg, kid } = JSON.parse(textOf(header))
  const [algorithm, options] = algorithms[alg] ?? []
  const key = (await keys()).keys.find((each) => each.kid === kid)
  if (!algorithm || !key) return 'unknown'
  try {
    const { key_ops: _ops, use: _use, ...jwk } = key
    const imported = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify'])
    const signed = new TextEncoder().encode(`${header}.${payload}`)
    return (await crypto.subtle.verify({ ...algorithm, ...options }, imported, bytesOf(signature), signed)) ? 'right' : 'wrong'
  } catch {
    return 'none'
  }
}

async function tell(place, token) {
  place.dataset.token = token
  const verdict = await verdictOf(token).catch(() => 'none')
  // Another one was pasted meanwhile.
  if (place.dataset.token !== token) return
  place.textContent = place.dataset[verdict]
  place.dataset.verdict = verdict
  place.classList.toggle('done', verdict === 'right')
  place.classList.toggle('problem', verdict === 'wrong')
  place.classList.toggle('warning', verdict === 'unknown' || verdict === 'none')
}

for (const place of document.querySelectorAll('[data-token]')) tell(place, place.dataset.token)

const fragment = document.getElementById('pass-fragment')
if (fragment && location.hash.length > 1) location.replace(`${location.pathname}?${location.hash.slice(1)}`)

function decode(token) {
  const [header, payload, signature, ...more] = token.split('.')
  if (signature === undefined || more.length > 0) return undefined
  try {
    return { header: JSON.parse(textOf(header)), claims: JSON.parse(textOf(payload)) }
  } catch {
    return undefined
  }
}

const times = ['exp', 'iat', 'nbf', 'auth_time', 'updated_at']

/** A value as a person reads it: times as moments, metadata as the text that it is. */
function readable(name, value) {
  if (times.includes(name) && typeof value === 'number') return new Date(value * 1000).toLocaleString(document.documentElement.lang)
  if (name !== 'urn:zitadel:iam:user:metadata' || typeof value !== 'object' || value === null) return undefined
  return Object.entries(value)
    .map(([key, text]) => `${key} = ${textOf(String(text))}`)
    .join('\n')
}

function rowOf(table, name, value, meaning) {
  const row = document.createElement('tr')
  const cells = ['name', 'value', 'meaning'].map((label) => {
    const cell = document.createElement('td')
    cell.dataset.label = table.dataset[label]
    row.append(cell)
    return cell
  })
  const code = document.createElement('code')
  code.textContent = name
  cells[0].append(code)
  const plain = document.createElement('span')
  plain.className = 'mono'
  plain.textContent = typeof value === 'string' ? value : JSON.stringify(value)
  cells[1].append(plain)
  const read = readable(name, value)
  if (read !== undefined) {
    const small = document.createElement('small')
    small.className = 'lines'
    small.textContent = read
    cells[1].append(small)
  }
  cells[2].textContent = meaning
  return row
}

const pasted = document.getElementById('pasted')
if (pasted) {
  document.getElementById('decoder').hidden = false
  const meanings = new Map(
    [...document.querySelectorAll('#claim-texts dt')].map((name) => [name.textContent, name.nextElementSibling.textContent]),
  )
  const problem = document.getElementById('pasted-problem')
  const result = document.getElementById('decoded')
  const table = document.getElementById('pasted-claims')
  pasted.addEventListener('input', () => {
    const token = pasted.value.trim()
    const parts = decode(token)
    problem.hidden = token === '' || parts !== undefined
    problem.textContent = problem.hidden ? '' : problem.dataset.text
    result.hidden = parts === undefined
    if (!parts) return
    document.getElementById('pasted-header').textContent = JSON.stringify(parts.header, null, 2)
    table.replaceChildren(
      ...Object.entries(parts.claims).map(([name, value]) => rowOf(table, name, value, meanings.get(name) ?? table.dataset.other)),
    )
    tell(document.getElementById('pasted-verdict'), token)
  })
}
