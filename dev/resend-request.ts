import { z } from 'zod'
import { mailboxOf } from './mail-fate.ts'
import { isListed } from './switches.ts'

/**
 * What Resend takes as a mail, and the words in which it refuses any other. One thing it refuses is
 * taken here unless it is asked for: addresses at `example.com` and the like, which people type
 * first.
 */
export type ResendError = { statusCode: number; name: string; message: string }

const address = /^(?:[^<>]*<[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+>|[^\s<>@,;]+@[^\s<>@,;]+\.[^\s<>@,;]+)$/
const addressAdvice =
  'The email address needs to follow the `email@example.com` or `Name <email@example.com>` format.'
const tagAdvice = 'Tags should only contain ASCII letters, numbers, underscores, or dashes.'
const MAX_RECIPIENTS = 50
const MAX_TAGS = 75
const MAX_BATCH = 100

const oneAddress = z.string().regex(address)
const addresses = z
  .union([oneAddress, z.array(oneAddress).max(MAX_RECIPIENTS)])
  .transform((value) => [value].flat())
const tagText = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[A-Za-z0-9_-]+$/)

const emailSchema = z.object({
  from: oneAddress,
  to: addresses.refine((list) => list.length > 0),
  subject: z.string().regex(/^[^\r\n]*$/),
  html: z.string().nullish(),
  text: z.string().nullish(),
  cc: addresses.nullish(),
  bcc: addresses.nullish(),
  reply_to: addresses.nullish(),
  tags: z
    .array(z.object({ name: tagText, value: tagText }))
    .max(MAX_TAGS)
    .nullish(),
  headers: z.record(z.string().regex(/^[!-9;-~]+$/), z.string().regex(/^[^\r\n]*$/)).nullish(),
})

export type EmailRequest = z.infer<typeof emailSchema>

/**
 * @param body parsed JSON
 * @param refuse recipients that are no good
 */
export function parseEmail(body: unknown, refuse: readonly string[]): EmailRequest | ResendError {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return invalid('The request body must be a JSON object.')
  const given = body as Record<string, unknown>
  const missing = ['from', 'to', 'subject'].find((name) => given[name] == null)
  if (missing) return lacking(`Missing \`${missing}\` field.`)
  if (given.html == null && given.text == null) return lacking('Missing `html` or `text` field.')

  const { success, data, error } = emailSchema.safeParse(body)
  if (!success) return invalid(sentenceAbout(String(error.issues[0]?.path[0])))
  const refused = data.to.map(mailboxOf).find((mailbox) => isListed(mailbox, refuse))
  if (refused === undefined) return data
  const domain = refused.slice(refused.lastIndexOf('@') + 1)
  return invalid(
    `Invalid \`to\` field. Please use our testing email address instead of domains like \`${domain}\`.`,
  )
}

function sentenceAbout(field: string): string {
  switch (field) {
    case 'tags':
      return tagAdvice
    case 'subject':
      return 'The `\\n` is not allowed in the `subject` field.'
    case 'from':
    case 'to':
    case 'cc':
    case 'bcc':
    case 'reply_to':
      return `Invalid \`${field}\` field. ${addressAdvice}`
    default:
      return `Invalid \`${field}\` field.`
  }
}

/** The mails that are taken, and of the others where they stood and why not. */
export type BatchRequest = {
  emails: EmailRequest[]
  errors: { index: number; message: string }[]
}

/**
 * Resend takes 1 to 100 at once.
 * @param permissive takes those that can be taken; otherwise all or none
 */
export function parseBatch(
  body: unknown,
  permissive: boolean,
  refuse: readonly string[],
): BatchRequest | ResendError {
  if (!Array.isArray(body) || body.length === 0 || body.length > MAX_BATCH)
    return invalid(`The request body must be an array of 1 to ${MAX_BATCH} emails.`)
  const batch: BatchRequest = { emails: [], errors: [] }
  for (const [index, item] of body.entries()) {
    const email = parseEmail(item, refuse)
    if (!isError(email)) batch.emails.push(email)
    else if (permissive) batch.errors.push({ index, message: email.message })
    else return email
  }
  return batch
}

export function isError(value: object): value is ResendError {
  return 'statusCode' in value
}

function invalid(message: string): ResendError {
  return { statusCode: 422, name: 'validation_error', message }
}

function lacking(message: string): ResendError {
  return { statusCode: 422, name: 'missing_required_field', message }
}
