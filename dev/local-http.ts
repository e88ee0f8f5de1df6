import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { localhost } from './ports.ts'

/**
 * A small HTTP server for this machine only. It listens on 127.0.0.1 and answers only requests
 * that name this machine as their host, so that no web page can reach it by pointing a name of
 * its own here.
 */
export type LocalServer = { url: string; close: () => Promise<void> }

export type LocalRequest = {
  method: string
  url: URL
  headers: Record<string, string | undefined>
  body: string
}

export type Reply = {
  status: number
  headers?: Record<string, string>
  /** A string as it stands, anything else as JSON. */
  body: unknown
}

/** A handler may also keep the response and stream to it. */
type Handler = (request: LocalRequest, response: ServerResponse) => Promise<Reply | 'streaming'>

/** @param port the preferred one; another is taken if it is busy */
export async function serveLocally(
  port: number,
  maxBodyBytes: number,
  handle: Handler,
): Promise<LocalServer> {
  const server = createServer(async (incoming, response) => {
    const reply = await replyTo(incoming, response).catch((error: Error) => ({
      status: 500,
      body: { name: 'application_error', statusCode: 500, message: error.message },
    }))
    if (reply === 'streaming') return
    const isText = typeof reply.body === 'string'
    response.writeHead(reply.status, {
      'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json',
      'cache-control': 'no-store',
      ...('headers' in reply ? reply.headers : {}),
    })
    response.end(isText ? reply.body : JSON.stringify(reply.body))
  })

  async function replyTo(incoming: IncomingMessage, response: ServerResponse) {
    if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(incoming.headers.host ?? ''))
      return { status: 403, body: { message: 'This server answers this machine only.' } }
    const body = await readBody(incoming, maxBodyBytes)
    if (body === null)
      return {
        status: 413,
        body: { message: `request is too large (max is ${maxBodyBytes} bytes)` },
      }
    return handle(
      {
        method: incoming.method ?? 'GET',
        url: new URL(incoming.url ?? '/', 'http://localhost'),
        headers: Object.fromEntries(
          Object.entries(incoming.headers).map(([name, value]) => [name, value?.toString()]),
        ),
        body,
      },
      response,
    )
  }

  const listen = (on: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(on, localhost, () => {
        server.off('error', reject)
        resolve()
      })
    })
  await listen(port <= 65_535 ? port : 0).catch(() => listen(0))

  return {
    url: `http://${localhost}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function readBody(incoming: IncomingMessage, maxBytes: number): Promise<string | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming) {
    bytes += chunk.length
    if (bytes <= maxBytes) chunks.push(chunk)
  }
  return bytes > maxBytes ? null : Buffer.concat(chunks).toString('utf8')
}
