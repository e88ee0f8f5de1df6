import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { type LocalRequest, type LocalServer, type Reply, serveLocally } from './local-http.ts'
import { type Mail, MailStore } from './mail-store.ts'
import { resendApi } from './resend.ts'
import { sendWebhooks, type WebhookSender, type WebhookTarget } from './resend-webhooks.ts'
import { abnormal, Switchboard, type SwitchesInput } from './switches.ts'

/**
 * The stand-in for Resend: its API for the worker, its webhooks back, and at `/` a page where a
 * person reads what would have been sent and chooses how Resend behaves.
 *
 * `/mails` is the same as JSON, newest first (`?brief` without their texts), `/mails/{id}` one of
 * them; DELETE empties it. GET `/switches` shows how it behaves; PUT sets it, and what is left out
 * becomes normal.
 */
export type MailboxPlan = {
  file: string
  port: number
  /** Told of each new mail, for the log. */
  onMail?: (mail: Mail) => void
  /** Where the worker takes webhooks; without it none are sent. */
  webhooks?: WebhookTarget
  switches?: SwitchesInput
  /** How many mails are kept. */
  keep?: number
  /** Its clock, in ms since 1970. */
  now?: () => number
}

const MAX_BYTES = 40 * 1024 * 1024
const REPORT_EVERY_MS = 1_000

const page: Record<string, { file: string; type: string }> = {
  '/': { file: 'mailbox.html', type: 'text/html; charset=utf-8' },
  '/mailbox.css': { file: 'mailbox.css', type: 'text/css; charset=utf-8' },
  '/list.css': { file: 'list.css', type: 'text/css; charset=utf-8' },
  '/reader.css': { file: 'reader.css', type: 'text/css; charset=utf-8' },
  '/switches.css': { file: 'switches.css', type: 'text/css; charset=utf-8' },
  '/mailbox.js': { file: 'mailbox.js', type: 'text/javascript; charset=utf-8' },
  '/reader.js': { file: 'reader.js', type: 'text/javascript; charset=utf-8' },
  '/switches.js': { file: 'switches.js', type: 'text/javascript; charset=utf-8' },
  '/elements.js': { file: 'elements.js', type: 'text/javascript; charset=utf-8' },
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

export async function serveMailbox(plan: MailboxPlan): Promise<LocalServer> {
  const { keep, now = Date.now } = plan
  const store = new MailStore(plan.file, { now, ...(keep !== undefined && { keep }) })
  const switchboard = new Switchboard(plan.switches)
  const resend = resendApi(store, switchboard, now)
  const webhooks = plan.webhooks ? sendWebhooks(store, switchboard, plan.webhooks) : null
  store.watch((news) => news.kind === 'added' && plan.onMail?.(news.mail))
  const server = await serveLocally(plan.port, MAX_BYTES, async (request, response) => {
    return resend(request, response) ?? replyTo(request, response)
  })
  return {
    url: server.url,
    close: () => {
      webhooks?.stop()
      return server.close()
    },
  }

  async function replyTo(
    { method, url, body }: LocalRequest,
    response: ServerResponse,
  ): Promise<Reply | 'streaming'> {
    const { pathname, searchParams } = url
    switch (`${method} ${pathname}`) {
      case 'GET /mails':
        return ok(searchParams.has('brief') ? store.list().map(brief) : store.list())
      case 'DELETE /mails':
        store.clear()
        return ok({ deleted: true })
      case 'GET /mails/live':
        return streamMails(response)
      case 'GET /switches':
        return ok(behaviour())
      case 'PUT /switches': {
        const wrong = switchboard.set(readJson(body))
        return wrong === null ? ok(behaviour()) : { status: 422, body: { message: wrong } }
      }
    }
    if (method !== 'GET') return { status: 405, body: { message: 'Read with GET.' } }
    const mail = store.get(pathname.replace(/^\/mails\//, ''))
    if (mail) return ok(mail)
    const asset = page[pathname]
    return asset ? assetReply(asset) : { status: 404, body: { message: 'Nothing is here.' } }
  }

  function behaviour(): Behaviour {
    const { current } = switchboard
    return {
      switches: current,
      abnormal: abnormal(current),
      webhooks: webhooks?.report() ?? null,
    }
  }

  /**
   * Server-sent events: `mail` with each that is new or has changed, `cleared` when all were
   * deleted, `behaviour` whenever it is another.
   */
  function streamMails(response: ServerResponse): 'streaming' {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write('retry: 1000\n\n')
    const write = (event: string, data: string) =>
      response.write(`event: ${event}\ndata: ${data}\n\n`)
    const stopMails = store.watch((news) =>
      news.kind === 'cleared'
        ? write('cleared', 'null')
        : write('mail', JSON.stringify(brief(news.mail))),
    )
    let said = ''
    const report = () => {
      const now = JSON.stringify(behaviour())
      if (now !== said) write('behaviour', now)
      said = now
    }
    report()
    const stopSwitches = switchboard.watch(report)
    // What the worker says of webhooks changes by itself.
    const pulse = setInterval(report, REPORT_EVERY_MS)
    response.on('close', () => {
      stopMails()
      stopSwitches()
      clearInterval(pulse)
    })
    return 'streaming'
  }
}

export type Behaviour = {
  switches: SwitchesInput
  /** A sentence for each switch that is not normal. */
  abnormal: string[]
  webhooks: ReturnType<WebhookSender['report']> | null
}

function brief({ html: _1, text: _2, headers: _3, ...mail }: Mail): object {
  return mail
}

function ok(body: unknown): Reply {
  return { status: 200, body }
}

async function assetReply({ file, type }: { file: string; type: string }): Promise<Reply> {
  return {
    status: 200,
    headers: { 'content-type': type, 'content-security-policy': contentPolicy },
    body: await readFile(new URL(`./mailbox/${file}`, import.meta.url), 'utf8'),
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
