import type { Channel, Parcel, Prepared, Ready } from '../courier/channel.ts'
import type { Env } from '../env.ts'
import { resolveUser } from './address-book.ts'
import type { Audience } from './body.ts'
import { readMailBody, renderMail } from './letter.ts'
import { isAddress, sameMailbox } from './recipients.ts'
import { BATCH_MAX, type ResendMail, sendMails } from './resend.ts'
import type { Suppressions } from './suppressions.ts'
import type { UnsubscribeTokens } from './unsubscribe-tokens.ts'

const HOLD_CONFIGURATION_MS = 60_000
/** After it could not be asked, nobody else asks it for so long. */
const DATABASE_REST_MS = 30_000

/** Mail through Resend, as a channel of the courier. */
export class MailChannel implements Channel {
  readonly #env: Env
  readonly #suppressions: Suppressions
  readonly #tokens: UnsubscribeTokens
  #database: { restsUntil: number; why: string } = { restsUntil: 0, why: '' }

  constructor(env: Env, suppressions: Suppressions, tokens: UnsubscribeTokens) {
    this.#env = env
    this.#suppressions = suppressions
    this.#tokens = tokens
  }

  get batch(): number {
    const asked = Number(this.#env.MAIL_BATCH || BATCH_MAX)
    return Number.isInteger(asked) ? Math.min(Math.max(asked, 1), BATCH_MAX) : BATCH_MAX
  }

  recipientKey(recipient: string): string {
    return sameMailbox(recipient)
  }

  ready(): Ready {
    const { RESEND_API_KEY, MAIL_FROM } = this.#env
    if (!RESEND_API_KEY) return unset('RESEND_API_KEY', 'npx wrangler secret put RESEND_API_KEY')
    if (!MAIL_FROM)
      return unset(
        'MAIL_FROM',
        'put MAIL_FROM = "Orders <orders@your-domain>" under [vars] in wrangler.toml and deploy',
      )
    return { kind: 'ready' }
  }

  async prepare(parcel: Parcel): Promise<Prepared> {
    const { category } = readMailBody(parcel.body)
    const user = /^user:(.*)$/s.exec(parcel.recipient)?.[1]
    const to = user === undefined ? toAddress(parcel.recipient) : await this.#askFor(user, category)
    return to.kind === 'to' ? { kind: 'send', payload: this.#freeze(parcel, to.address) } : to
  }

  veto(parcel: Parcel, payload: string): string | null {
    const { to } = JSON.parse(payload) as ResendMail
    return this.#suppressions.against(sameMailbox(to[0] ?? ''), audienceOf(parcel.body))
  }

  send = (shipment: Parameters<Channel['send']>[0]) => sendMails(this.#env, shipment)

  #freeze(parcel: Parcel, address: string): string {
    const { audience } = readMailBody(parcel.body)
    const url = audience === 'customer' ? this.#unsubscribeUrl(address) : null
    const mail: ResendMail = {
      from: this.#env.MAIL_FROM ?? '',
      to: [address],
      ...renderMail(parcel.body, { unsubscribeUrl: url }),
      ...(url !== null && {
        headers: {
          'List-Unsubscribe': `<${url}>`,
          'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
        },
      }),
      tags: [{ name: 'delivery', value: parcel.tag }],
    }
    return JSON.stringify(mail)
  }

  #unsubscribeUrl(address: string): string | null {
    const base = this.#env.PUBLIC_URL?.replace(/\/+$/, '')
    return base ? `${base}/api/unsubscribe/${this.#tokens.of(sameMailbox(address))}` : null
  }

  /** What can be said without the database goes out, whatever its state. */
  async #askFor(user: string, category: string): Promise<To> {
    const now = Date.now()
    if (now < this.#database.restsUntil) return later(this.#database.why)
    try {
      const found = await resolveUser(this.#env, user, category)
      if (found.kind === 'address') return toAddress(found.address)
      return { kind: found.kind === 'declined' ? 'suppressed' : 'park', why: sentence(found.why) }
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error)
      const why = `The address of user ${user} is not known yet, and is asked for again by itself: ${said}`
      this.#database = { restsUntil: Date.now() + DATABASE_REST_MS, why }
      return later(why)
    }
  }
}

/** What was frozen by a version before may have a body that this one cannot read. */
function audienceOf(body: string): Audience {
  try {
    return readMailBody(body).audience
  } catch {
    return 'customer'
  }
}

type To = { kind: 'to'; address: string } | Exclude<Prepared, { kind: 'send' }>

function toAddress(address: string): To {
  if (isAddress(address)) return { kind: 'to', address }
  const shown = address.length > 80 ? `${address.slice(0, 80)}…` : address
  return {
    kind: 'park',
    why: `"${shown}" is not one address, so nothing is sent to it. Correct it where it comes from; this mail is not changed by that.`,
  }
}

/** Spread out, as many may wait for the same database. */
function later(why: string): Prepared & { kind: 'wait' } {
  return { kind: 'wait', afterMs: DATABASE_REST_MS * (1 + Math.random()), why }
}

function unset(setting: string, how: string): Ready {
  return {
    kind: 'hold',
    afterMs: HOLD_CONFIGURATION_MS,
    why: `${setting} is not set, so no mail goes out. Set it: ${how}`,
  }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
