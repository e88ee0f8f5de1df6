import { type Outcome, request, requestAs } from '../request.ts'
import {
  type EmailPage,
  type EmailStory,
  emailPage,
  emailStory,
  type Letter,
  letter,
  matching,
  redriven,
} from './email.ts'
import { type MailQuery, mailFilter, mailParams } from './query.ts'
import { type Rule, rule, rulesAnswer, type Template, templatesAnswer } from './rule.ts'

export function readMails(
  query: MailQuery,
  page: { limit: number; cursor: string | null },
  signal: AbortSignal,
): Promise<Outcome<EmailPage>> {
  const params = mailParams(query)
  params.set('limit', String(page.limit))
  if (page.cursor !== null) params.set('cursor', page.cursor)
  return requestAs(emailPage, 'GET', `/api/emails?${params}`, { signal })
}

export function readMail(id: number, signal: AbortSignal): Promise<Outcome<EmailStory>> {
  return requestAs(emailStory, 'GET', `/api/emails/${id}`, { signal })
}

/** @returns whether there was anything to try again */
export async function redriveMail(id: number): Promise<Outcome<boolean>> {
  const outcome = await requestAs(redriven, 'POST', `/api/emails/${id}/redrive`)
  return outcome.ok ? { ok: true, value: outcome.value.redriven > 0 } : outcome
}

export function cancelMail(id: number): Promise<Outcome<unknown>> {
  return request('POST', `/api/emails/${id}/cancel`)
}

/** How many a redrive of these would try again. */
export async function countRedrivable(query: MailQuery): Promise<Outcome<number>> {
  const body = redriveOrder(query, true)
  const outcome = await requestAs(matching, 'POST', '/api/emails/redrive', { body })
  return outcome.ok ? { ok: true, value: outcome.value.matching } : outcome
}

/** @returns how many are tried again */
export async function redriveMails(query: MailQuery): Promise<Outcome<number>> {
  const body = redriveOrder(query, false)
  const outcome = await requestAs(redriven, 'POST', '/api/emails/redrive', { body })
  return outcome.ok ? { ok: true, value: outcome.value.redriven } : outcome
}

/** Without any filter all must be said. */
function redriveOrder(query: MailQuery, dry_run: boolean) {
  const filter = mailFilter(query)
  return { filter, dry_run, ...(Object.keys(filter).length === 0 && { all: true }) }
}

export async function readRules(): Promise<Outcome<Rule[]>> {
  const outcome = await requestAs(rulesAnswer, 'GET', '/api/mail-rules')
  return outcome.ok ? { ok: true, value: outcome.value.rules } : outcome
}

export function switchRule({ id, version }: Rule, enabled: boolean): Promise<Outcome<Rule>> {
  return requestAs(rule, 'PATCH', `/api/mail-rules/${id}`, { body: { enabled }, version })
}

export async function readTemplates(): Promise<Outcome<Template[]>> {
  const outcome = await requestAs(templatesAnswer, 'GET', '/api/mail-templates')
  return outcome.ok ? { ok: true, value: outcome.value.templates } : outcome
}

/** @param sample of whom it is written to, and with which order; null for made-up values */
export function readPreview(
  template: string,
  { audience, order }: { audience: 'customer' | 'staff'; order: string | null },
): Promise<Outcome<Letter>> {
  const query = new URLSearchParams({ audience, ...(order !== null && { order }) })
  return requestAs(
    letter,
    'GET',
    `/api/mail-templates/${encodeURIComponent(template)}/preview?${query}`,
  )
}
