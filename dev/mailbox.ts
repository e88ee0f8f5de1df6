import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { type LocalServer, type Reply, serveLocally } from './local-http.ts'
import { type Mail, MailStore } from './mail-store.ts'
import { resendApi } from './resend.ts'

/**
 * The stand-in for Resend: its API for the worker, and at `/` a page where a person reads what
 * would have been sent. `/mails` is the same as JSON, newest first; DELETE empties it.
 */
const maxBytes = 40 * 1024 * 1024

const page: Record<string, { file: string; type: string }> = {
  '/': { file: 'mailbox.html', type: 'text/html; charset=utf-8' },
  '/mailbox.css': { file: 'mailbox.css', type: 'text/css; charset=utf-8' },
  '/reader.css': { file: 'reader.css', type: 'text/css; charset=utf-8' },
  '/mailbox.js': { file: 'mailbox.js', type: 'text/javascript; charset=utf-8' },
  '/favicon.svg': { file: 'favicon.svg', type: 'image/svg+xml' },
}

/** A mail is shown in a frame without scripts, which is bound by the page's policy too. */
const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  'img-src https: data: http://127.0.0.1:*',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

/** @param onMail told of each mail, for the log */
export async function serveMailbox(
  file: string,
  port: number,
  onMail: (mail: Mail) => void,
): Promise<LocalServer> {
  const store = new MailStore(file)
  const resend = resendApi(store)
  store.watch((mail) => mail && onMail(mail))

  return serveLocally(port, maxBytes, async (request, response) => {
    const { method, url } = request
    const answer = resend(request)
    if (answer) return answer
    if (url.pathname === '/mails' && method === 'DELETE') {
      store.clear()
      return { status: 200, body: { deleted: true } }
    }
    if (method !== 'GET') return { status: 405, body: { message: 'Read with GET.' } }
    if (url.pathname === '/mails') return { status: 200, body: store.list() }
    if (url.pathname === '/mails/live') return streamMails(store, response)
    const asset = page[url.pathname]
    return asset ? assetReply(asset) : { status: 404, body: { message: 'Nothing is here.' } }
  })
}

async function assetReply({ file, type }: { file: string; type: string }): Promise<Reply> {
  return {
    status: 200,
    headers: { 'content-type': type, 'content-security-policy': contentPolicy },
    body: await readFile(new URL(`./mailbox/${file}`, import.meta.url), 'utf8'),
  }
}

/** Server-sent events: `mail` with each new one, `cleared` when all were deleted. */
function streamMails(store: MailStore, response: ServerResponse): 'streaming' {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.write('retry: 1000\n\n')
  const stop = store.watch((mail) => {
    const event = mail ? 'mail' : 'cleared'
    response.write(`event: ${event}\ndata: ${JSON.stringify(mail)}\n\n`)
  })
  response.on('close', stop)
  return 'streaming'
}
