import { z } from 'zod'

/** An error as Resend answers it. */
export type ResendError = { statusCode: number; name: string; message: string }

const address = /^(?:[^<>]*<[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+)$/
const addressAdvice =
  'The email address needs to follow the `email@example.com` or `Name <email@example.com>` format.'
const maxRecipients = 50

const oneAddress = z.string().regex(address, addressAdvice)
const addresses = z
  .union([oneAddress, z.array(z.string().regex(address, addressAdvice)).max(maxRecipients)])
  .transform((value) => [value].flat())

const emailSchema = z.object({
  from: oneAddress,
  to: addresses.refine((list) => list.length > 0, addressAdvice),
  subject: z.string(),
  html: z.string().nullish(),
  text: z.string().nullish(),
  cc: addresses.nullish(),
  bcc: addresses.nullish(),
  reply_to: addresses.nullish(),
})

export type EmailRequest = z.infer<typeof emailSchema>

/** @param body parsed JSON */
export function parseEmail(body: unknown): EmailRequest | ResendError {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return invalid('The request body must be a JSON object.')
  const given = body as Record<string, unknown>
  const missing = ['from', 'to', 'subject'].find((name) => given[name] == null)
  if (missing) return lacking(`Missing \`${missing}\` field.`)
  if (given.html == null && given.text == null) return lacking('Missing `html` or `text` field.')

  const { success, data, error } = emailSchema.safeParse(body)
  if (success) return data
  const field = String(error.issues[0]?.path[0])
  const isAddress = ['from', 'to', 'cc', 'bcc', 'reply_to'].includes(field)
  return invalid(`Invalid \`${field}\` field.${isAddress ? ` ${addressAdvice}` : ''}`)
}

/** Resend takes 1 to 100 at once, and all or none of them. */
export function parseBatch(body: unknown): EmailRequest[] | ResendError {
  if (!Array.isArray(body) || body.length === 0 || body.length > 100)
    return invalid('The request body must be an array of 1 to 100 emails.')
  const parsed = body.map(parseEmail)
  return parsed.find(isError) ?? parsed.filter((email): email is EmailRequest => !isError(email))
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
