import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export type Asked = {
  method: string
  path: string
  query: Record<string, string>
  body: unknown
  authorization: string | null
  headers: IncomingHttpHeaders
}
export type Answered = {
  status?: number
  body?: unknown
  type?: string
  headers?: Record<string, string>
  /** The connection breaks off before any answer. */
  breaksOff?: true
}

/** A worker of a few answers; it remembers what it was asked. */
export async function serveWorker(answer: (asked: Asked) => Answered) {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const question = await read(request)
    asked.push(question)
    const { status = 200, body, type = 'application/json', headers, breaksOff } = answer(question)
    if (breaksOff) return response.destroy()
    response.writeHead(status, { 'content-type': type, ...headers })
    response.end(
      body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function read(request: IncomingMessage): Promise<Asked> {
  const url = new URL(request.url ?? '/', 'http://worker')
  const body = await text(request)
  return {
    method: request.method ?? '',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    body: body === '' ? null : JSON.parse(body),
    authorization: request.headers.authorization ?? null,
    headers: request.headers,
  }
}
