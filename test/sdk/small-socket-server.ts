import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'

export type Visitor = {
  url: string
  /** What the visitor says, but for `ping`. */
  onText(run: (text: string) => void): void
  say(text: string): void
  close(code: number, reason: string): void
}

/**
 * As much of RFC 6455 as a subscription needs: short text frames both ways, `ping` answered.
 * @param answer to what is no upgrade; without it tickets are given to whoever brings a token
 */
export async function serveSockets(
  visit: (visitor: Visitor) => void,
  answer: (request: IncomingMessage) => { status?: number; body: unknown } = ticketDesk(),
) {
  const server = createServer((request, response) => {
    const { status = 200, body } = answer(request)
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  })
  const open = new Set<Duplex>()
  server.on('upgrade', (request, socket) => {
    open.add(socket)
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${createHash('sha1').update(key).digest('base64')}\r\n\r\n`,
    )
    const say = (text: string) => socket.write(frame(1, Buffer.from(text)))
    const listeners: ((text: string) => void)[] = []
    socket.on('data', (data: Buffer) => {
      const text = textOf(data)
      if (text === 'ping') say('pong')
      else for (const run of listeners) run(text)
    })
    socket.on('error', () => socket.destroy())
    visit({
      url: request.url ?? '',
      onText: (run) => void listeners.push(run),
      say,
      close(code, reason) {
        const payload = Buffer.alloc(2 + Buffer.byteLength(reason))
        payload.writeUInt16BE(code)
        payload.write(reason, 2)
        socket.end(frame(8, payload))
      },
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** `1.once`, `2.once` … */
function ticketDesk() {
  let given = 0
  return ({ method, url = '', headers }: IncomingMessage) => {
    if (method !== 'POST' || !/^\/api\/(me\/)?tickets$/.test(url)) return { status: 404, body: {} }
    if (!headers.authorization?.startsWith('Bearer '))
      return { status: 401, body: { title: 'Credentials are missing or wrong' } }
    return { status: 201, body: { ticket: `${++given}.once`, expires_in_ms: 30_000 } }
  }
}

function frame(opcode: number, payload: Buffer): Buffer {
  const head =
    payload.length < 126
      ? [0x80 | opcode, payload.length]
      : [0x80 | opcode, 126, payload.length >> 8, payload.length & 0xff]
  return Buffer.concat([Buffer.from(head), payload])
}

/** The text of one masked frame of less than 64 kB. */
function textOf(data: Buffer): string {
  const head = (data[1] ?? 0) === 0xfe ? 4 : 2
  const [mask, payload] = [data.subarray(head, head + 4), data.subarray(head + 4)]
  return Buffer.from(payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))).toString()
}
