import { Webhook, WebhookVerificationError } from 'standardwebhooks'

/**
 * Whether a request is the provider's own: its Standard Webhooks signature over id, time and the
 * body as it came, byte for byte. Nothing of the body may be read before.
 */
export type Verdict =
  | { kind: 'genuine'; id: string; body: string }
  | { kind: 'refused'; why: string }
  /** No secret is set that a signature could be held against. */
  | { kind: 'unconfigured'; why: string }

/** @param secrets `whsec_…`; several are valid at once while one is rotated */
export function verifyProvider(
  header: (name: string) => string | undefined,
  body: Uint8Array,
  secrets: readonly (string | undefined)[],
): Verdict {
  const keys = secrets.filter((secret) => secret !== undefined && secret !== '') as string[]
  if (keys.length === 0) return { kind: 'unconfigured', why: 'RESEND_WEBHOOK_SECRET is not set.' }
  const webhooks = keys.flatMap((key) => readSecret(key) ?? [])
  if (webhooks.length < keys.length)
    return {
      kind: 'unconfigured',
      why: 'The secret of the webhook is not one: it begins with whsec_.',
    }

  const headers = {
    'webhook-id': header('svix-id') ?? header('webhook-id') ?? '',
    'webhook-timestamp': header('svix-timestamp') ?? header('webhook-timestamp') ?? '',
    'webhook-signature': header('svix-signature') ?? header('webhook-signature') ?? '',
  }
  if (Object.values(headers).includes(''))
    return { kind: 'refused', why: 'svix-id, svix-timestamp and svix-signature must all be sent.' }
  const text = decode(body)
  if (
    !ID.test(headers['webhook-id']) ||
    text === null ||
    !webhooks.some((webhook) => isSignedBy(webhook, text, headers))
  )
    return { kind: 'refused', why: REFUSED }
  return { kind: 'genuine', id: headers['webhook-id'], body: text }
}

/** What is signed is `id.time.body`: with a dot in the id it could be cut elsewhere. */
const ID = /^[^.\s]{1,256}$/

const REFUSED =
  'It is not signed with a secret that is known here, or not within the last 5 minutes. Compare RESEND_WEBHOOK_SECRET with the signing secret of the webhook at Resend, and the clocks.'

/** The library holds the time to 5 minutes either way, and compares in constant time. */
function isSignedBy(webhook: Webhook, body: string, headers: Record<string, string>): boolean {
  try {
    webhook.verify(body, headers, { jsonParse: false })
    return true
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false
    throw error
  }
}

function readSecret(secret: string): Webhook | null {
  try {
    return new Webhook(secret)
  } catch {
    return null
  }
}

/** What is signed are bytes: text that would not give the same ones back is not what was signed. */
function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}
