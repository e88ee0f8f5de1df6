import { setTimeout as delay } from 'node:timers/promises'
import { readLog } from './feed-log.ts'
import type { System } from './system.ts'

/** A change that a consumer cannot handle is tried eight times, with pauses of up to a minute. */
const PARKING_MS = 180_000

type Status = {
  consumers: { name: string; behind: number; parked: number; error: string | null }[]
  mail: { queued: number; sent: number; parked: number }
}

/**
 * The mail consumer holds its own place (P40), parks what it cannot read and goes on (P41), and
 * owes one mail for each rule, change and recipient, however often changes were handed over (P50,
 * P51), by the rules that stand before the change in the log (P58).
 * The run has no key for a mail provider, so the mails stay queued and can be counted.
 */
export async function checkMail(system: System, say: (line: string) => void): Promise<void> {
  const { violations } = system
  const owed = await owedMails(system)
  const deadline = Date.now() + PARKING_MS
  for (;;) {
    const { consumers, mail } = await system.ask<Status>('/api/status')
    const consumer = consumers.find(({ name }) => name === 'mail')
    const { behind, parked } = consumer ?? { behind: Number.NaN, parked: Number.NaN }
    if (behind === 0) {
      const has = mail.queued + mail.sent + mail.parked
      if (has !== owed.mails)
        violations.add('P50 P51 P58', `${owed.mails} mails are owed, the mailer has ${has}`)
      if (parked !== owed.poison)
        violations.add('P41', `${owed.poison} changes cannot be read, ${parked} are parked`)
      return
    }
    if (Date.now() > deadline) {
      violations.add('P41', `the mail consumer is ${behind} changes behind: ${consumer?.error}`)
      return
    }
    say(`the mail consumer is ${behind} changes behind, ${parked} parked`)
    await delay(2_000)
  }
}

/** A rule as these tests write them: orders whose status became one of these. */
type Rule = {
  channel: string
  enabled: boolean
  when: { status: { became: string[] } }
  recipients: object[]
}

/** By the log, which the checker holds against the audit: what stands behind a rule is its matter. */
async function owedMails(system: System): Promise<{ mails: number; poison: number }> {
  const rules = new Map<unknown, Rule>()
  let mails = 0
  let poison = 0
  for await (const changes of readLog(system))
    for (const { table, op, key, old, new: now, oversize } of changes) {
      if (table === 'rules') {
        if (op === 'delete') rules.delete(key?.id)
        else rules.set(key?.id, now as unknown as Rule)
      }
      if (table !== 'orders' || op === 'delete' || op === 'truncate') continue
      const inForce = [...rules.values()].filter(
        ({ channel, enabled }) => channel === 'mail' && enabled,
      )
      if (oversize) poison += inForce.length > 0 ? 1 : 0
      else
        for (const { when, recipients } of inForce) {
          const { became } = when.status
          if (!became.includes(String(now?.status)) || became.includes(String(old?.status)))
            continue
          mails += recipients.filter(
            (each) => 'column' in each === false || now?.customer_email,
          ).length
        }
    }
  return { mails, poison }
}
