import { type LocalServer, serveLocally } from '../../dev/local-http.ts'
import { freePort } from '../../dev/ports.ts'
import { databaseOfRules } from './database-of-rules.ts'

const MAX_QUERY_BYTES = 64 * 1024

/** In place of a Neon endpoint, for a worker that needs no more of a database than its rules. */
export async function serveRules(): Promise<LocalServer> {
  const server = await serveLocally(await freePort(), MAX_QUERY_BYTES, async ({ url, body }) => {
    const answer = await databaseOfRules({ url: url.pathname, text: async () => body })
    return { status: answer.status, body: answer.ok ? await answer.json() : await answer.text() }
  })
  return { ...server, url: `${server.url}/sql` }
}
