import { createServer, type Server } from 'node:http'
import type { Listener } from './listener.ts'
import type { Metrics } from './metrics.ts'

/**
 * `GET /healthz`: 200 while this listener leads with its link up, or stands by; else 503.
 * `GET /metrics`: Prometheus' text.
 */
export function serveHealth(listener: Listener, metrics: Metrics, port: number): Promise<Server> {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://listener').pathname
    if (path === '/healthz') {
      const { healthy, ...report } = health(listener)
      response.writeHead(healthy ? 200 : 503, { 'content-type': 'application/json' })
      response.end(`${JSON.stringify({ ok: healthy, ...report })}\n`)
    } else if (path === '/metrics') {
      response.writeHead(200, { 'content-type': metrics.registry.contentType })
      response.end(await metrics.registry.metrics())
    } else {
      response.writeHead(404, { 'content-type': 'text/plain' })
      response.end('Here are /healthz and /metrics.\n')
    }
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, () => resolve(server))
  })
}

function health({ role }: Listener) {
  const since = new Date(role.since).toISOString()
  switch (role.role) {
    case 'leader': {
      const linked = role.linked()
      return { healthy: linked, role: role.role, since, term: role.term, bell: role.bell(), linked }
    }
    case 'standby':
      return { healthy: true, role: role.role, since }
    case 'connecting':
      return { healthy: false, role: role.role, since, error: role.error }
  }
}
