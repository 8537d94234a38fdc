/**
 * Serves a small single-page application on `oidc-client-ts`: open http://localhost:5173, sign in, see the metadata. It is the application
 * `portal-spa` of examples/demo.yaml. All of it runs in the browser; this server only hands out files.
 */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'

const issuer = new URL(process.env.ISSUER ?? 'http://localhost:8080').origin
const port = Number(process.env.PORT ?? 5173)
const settings = { authority: issuer, client_id: process.env.CLIENT_ID ?? 'portal-spa' }

const here = (name) => new URL(name, import.meta.url)
const page = { type: 'text/html; charset=utf-8', file: here('index.html') }
const files = {
  '/': page,
  '/callback.html': page,
  '/app.js': { type: 'text/javascript', file: here('app.js') },
  '/style.css': { type: 'text/css', file: here('style.css') },
  '/oidc-client-ts.js': {
    type: 'text/javascript',
    file: new URL('../browser/oidc-client-ts.min.js', import.meta.resolve('oidc-client-ts')),
  },
}

const headers = {
  'Content-Security-Policy': `default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' ${issuer}; base-uri 'none'; frame-ancestors 'none'`,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
}

createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost')
  if (pathname === '/settings.json') {
    return response.writeHead(200, { ...headers, 'Content-Type': 'application/json' }).end(JSON.stringify(settings))
  }
  const found = files[pathname]
  if (!found) return response.writeHead(404, headers).end()
  response.writeHead(200, { ...headers, 'Content-Type': found.type }).end(await readFile(found.file))
}).listen(port, 'localhost', () => console.error(`Open http://localhost:${port} in a browser.`))
