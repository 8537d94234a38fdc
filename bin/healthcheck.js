// Whether the server in this container is ready: exit status 0 or 1. The image has neither curl nor wget.
const issuer = new URL(process.env.DOSSIER_ISSUER || 'http://localhost:8080')
const port = process.env.DOSSIER_PORT || issuer.port || (issuer.protocol === 'https:' ? 443 : 80)
const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(4000) }).catch(() => undefined)
process.exit(answer?.ok ? 0 : 1)
