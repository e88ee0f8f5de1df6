import { type MailBody, mailBody } from './body.ts'
import { type Content, safeUrl, settle } from './content.ts'
import { html } from './markup.ts'
import { plain } from './plain.ts'
import { templateNamed } from './templates/all.ts'

/**
 * A mail as it is sent. The same body and link give the same letter, byte for byte: a repetition
 * under one idempotency key must not differ. Values are strangers' text: they stay on one line,
 * within their element, and in their own direction.
 */
export type Letter = { subject: string; html: string; text: string }

/** @throws if the body is not one it can read */
export function renderMail(
  body: string,
  { unsubscribeUrl }: { unsubscribeUrl: string | null },
): Letter {
  const { template: name, audience, data } = readMailBody(body)
  const template = templateNamed(name)
  if (!template) throw new Error(`There is no mail template "${name}" in this version.`)
  return letter(template.content(data, audience), unsubscribeUrl)
}

/** @throws likewise */
export function readMailBody(body: string): MailBody {
  return mailBody.parse(JSON.parse(body))
}

export function letter(content: Content, unsubscribeUrl: string | null): Letter {
  const settled = settle(content)
  const link = unsubscribeUrl === null ? null : safeUrl(unsubscribeUrl)
  return { subject: settled.subject, html: html(settled, link), text: plain(settled, link) }
}
