import { z } from 'zod'
import { sameMailbox } from './recipients.ts'

/**
 * What Resend says of a mail, out of the body of a webhook whose signature was verified
 * (api/provider-signature.ts).
 *
 * Resend is authoritative for what became of a mail after it took it. It says so at least once
 * and in any order: `id` is the same each time, and what an event may change is the mailer's
 * decision. Must hold: an event of a kind that is not known here is ignored, so that Resend may
 * add kinds; one of a known kind that cannot be read is refused, and said again by Resend, rather
 * than taken for something else.
 */
export type ProviderEvent = {
  /** Its `svix-id`: the same however often it is said. */
  id: string
  kind: ProviderEventKind
  /** When it happened. ISO 8601 in UTC. */
  at: string
  providerId: string
  /** The value of the tag `delivery`, which each mail carries. */
  delivery: string | null
  /** The mailbox, if it is about one. */
  recipient: string | null
  /** The provider's own words, for people. */
  detail: string | null
  /** A hard bounce: this mailbox cannot be reached, now or later. */
  permanent: boolean
}

export type ProviderEventKind = (typeof kinds)[keyof typeof kinds]

export type ProviderMessage =
  | { kind: 'event'; event: ProviderEvent }
  /** Of no mail, or of no interest. */
  | { kind: 'ignored'; type: string }
  | { kind: 'malformed'; detail: string }

const kinds = {
  'email.sent': 'sent',
  'email.delivered': 'delivered',
  'email.delivery_delayed': 'delayed',
  'email.bounced': 'bounced',
  'email.complained': 'complained',
  'email.failed': 'failed',
  'email.suppressed': 'suppressed',
  'email.opened': 'opened',
  'email.clicked': 'clicked',
} as const

const DETAIL_MAX = 500

/** @param body parsed JSON */
export function readProviderMessage(id: string, body: unknown): ProviderMessage {
  const head = envelope.safeParse(body)
  if (!head.success) return malformed(head.error)
  const { type } = head.data
  if (!isKnown(type)) return { kind: 'ignored', type }
  const read = message.safeParse(body)
  if (!read.success) return malformed(read.error)
  const { created_at: at, data } = read.data
  return {
    kind: 'event',
    event: {
      id,
      kind: kinds[type],
      at,
      providerId: data.email_id,
      delivery: deliveryOf(data.tags),
      recipient: recipientOf(data.to),
      detail: detailOf(data),
      permanent: type === 'email.bounced' && data.bounce?.type?.toLowerCase() === 'permanent',
    },
  }
}

const envelope = z.object({ type: z.string() })

/** What only serves people is never a reason to refuse the whole. */
const words = z.string().optional().catch(undefined)
const said = z
  .object({ type: words, subType: words, message: words, reason: words, link: words })
  .optional()
  .catch(undefined)

const message = z.object({
  created_at: z.string().transform((text, context) => {
    const time = readTime(text)
    if (time !== null) return time
    context.addIssue({ code: 'custom', message: 'is no time' })
    return z.NEVER
  }),
  data: z.object({
    email_id: z.string().min(1).max(200),
    to: z
      .union([z.string(), z.array(z.string())])
      .optional()
      .catch(undefined),
    tags: z.unknown().optional(),
    bounce: said,
    failed: said,
    suppressed: said,
    click: said,
  }),
})

type Data = z.infer<typeof message>['data']

function isKnown(type: string): type is keyof typeof kinds {
  return Object.hasOwn(kinds, type)
}

/** Resend's documents have tags as a list, its events as an object. */
function deliveryOf(tags: unknown): string | null {
  const listed = tagList.safeParse(tags)
  const value = listed.success
    ? listed.data.find((tag) => tag?.name === 'delivery')?.value
    : tagObject.safeParse(tags).data?.delivery
  return value !== undefined && /^[\w-]{1,256}$/.test(value) ? value : null
}

const tagList = z.array(z.object({ name: z.string(), value: z.string() }).nullable().catch(null))
const tagObject = z.object({ delivery: words })

/** A mail has one recipient: of several, nobody can tell whom it is about. */
function recipientOf(to: Data['to']): string | null {
  const [address, ...others] = typeof to === 'string' ? [to] : (to ?? [])
  if (address === undefined || others.length > 0) return null
  const mailbox = sameMailbox(/<([^<>]*)>\s*$/.exec(address)?.[1] ?? address)
  return mailbox === '' ? null : mailbox
}

/** `Permanent/General: The mailbox does not exist.` */
function detailOf({ bounce, failed, suppressed, click }: Data): string | null {
  const about = bounce ?? failed ?? suppressed ?? click
  const kind = [about?.type, about?.subType].filter(Boolean).join('/')
  const text = about?.message ?? about?.reason ?? about?.link ?? ''
  const detail = [kind, text].filter(Boolean).join(': ')
  return detail === '' ? null : detail.slice(0, DETAIL_MAX).toWellFormed()
}

/** Also as Postgres prints it, `2026-11-21 08:33:55.123+00`, which Resend's examples have. */
function readTime(text: string): string | null {
  const iso = text
    .trim()
    .replace(/^(\S+) (\S+)$/, '$1T$2')
    .replace(/([+-]\d\d)$/, '$1:00')
  const time = /^\d{4}-\d\d-\d\dT/.test(iso) ? Date.parse(iso) : Number.NaN
  return Number.isNaN(time) ? null : new Date(time).toISOString()
}

function malformed(error: z.ZodError): ProviderMessage {
  const { path, message } = error.issues[0] ?? { path: [], message: 'cannot be read' }
  return { kind: 'malformed', detail: `${path.join('.') || 'the body'}: ${message}` }
}
