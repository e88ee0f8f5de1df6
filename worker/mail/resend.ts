import { Resend } from 'resend'
import type { Shipment } from '../courier/channel.ts'
import type { Answer } from '../courier/outcome.ts'
import type { Env } from '../env.ts'
import { judge, type ResendAnswer } from './answer.ts'

/** Resend takes no more in one request. */
export const BATCH_MAX = 100
const REQUEST_TIMEOUT_MS = 30_000

/** A mail as it is frozen: what Resend's API takes, as JSON. */
export type ResendMail = {
  from: string
  to: string[]
  subject: string
  html: string
  text: string
  headers?: Record<string, string>
  tags: { name: string; value: string }[]
}

/**
 * One request to Resend, through its own client: a mail, or a batch of which it takes those that
 * it can and names the others.
 */
export async function sendMails(env: Env, { key, parcels }: Shipment): Promise<Answer> {
  const mails = parcels.map(({ payload }) => JSON.parse(payload) as ResendMail)
  const answer = await withDeadline((signal) => request(env, key, mails, signal))
  return judge(answer, mails.length, Date.now())
}

async function request(
  { RESEND_API_KEY, RESEND_BASE_URL }: Env,
  idempotencyKey: string,
  mails: readonly ResendMail[],
  signal: AbortSignal,
): Promise<ResendAnswer> {
  const resend = new Resend(RESEND_API_KEY, RESEND_BASE_URL ? { baseUrl: RESEND_BASE_URL } : {})
  const [first] = mails
  if (first && mails.length === 1) return resend.emails.send(first, { idempotencyKey, signal })
  return resend.batch.send([...mails], {
    idempotencyKey,
    batchValidation: 'permissive',
    signal,
  })
}

/** Not AbortSignal.timeout: its timer would keep the object in memory long after the answer. */
async function withDeadline<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), REQUEST_TIMEOUT_MS)
  try {
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
  }
}
