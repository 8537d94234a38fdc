// Serves hosting/files, a page on `realm-web`: open http://localhost:5174. All of it runs in the browser; this only hands out files. Beside a server that has this app:
//   npx dossier app-services push examples/app-services && npm start
//   node examples/app-services/serve_page.mjs
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'

const dossier = new URL(process.env.DOSSIER_ISSUER ?? 'http://localhost:8080').origin
const port = Number(process.env.PORT ?? 5174)
const settings = { id: process.env.APP_ID ?? 'myapp-abcde', baseUrl: dossier }

const html = { type: 'text/html; charset=utf-8' }
const here = (name) => new URL(`hosting/files/${name}`, import.meta.url)
const files = {
  '/': { ...html, file: here('index.html') },
  '/redirect.html': { ...html, file: here('redirect.html') },
  '/page.js': { type: 'text/javascript', file: here('page.js') },
  '/redirect.js': { type: 'text/javascript', file: here('redirect.js') },
  '/look.css': { type: 'text/css', file: new URL('../spa/style.css', import.meta.url) },
  '/style.css': { type: 'text/css', file: here('style.css') },
  '/realm-web.js': { type: 'text/javascript', file: new URL('bundle.iife.js', import.meta.resolve('realm-web')) },
}

const headers = {
  'Content-Security-Policy': `default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' ${dossier}; base-uri 'none'; frame-ancestors 'none'`,
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
