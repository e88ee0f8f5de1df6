import { setTimeout as delay } from 'node:timers/promises'
import { readAudit } from './records.ts'
import { ALERT_RECIPIENT, type System } from './system.ts'

/** A change that a consumer cannot handle is tried eight times, with pauses of up to a minute. */
const PARKING_MS = 180_000

type Status = {
  consumers: { name: string; behind: number; parked: number; error: string | null }[]
  mail: { queued: number; sent: number; parked: number }
}

/**
 * The mail consumer holds its own place (P40), parks what it cannot read and goes on (P41), and
 * owes one mail for each change and recipient, however often changes were handed over (P50, P51).
 * The run has no key for a mail provider, so the mails stay queued and can be counted.
 */
export async function checkMail(system: System, say: (line: string) => void): Promise<void> {
  const { violations } = system
  const owed = await owedMails(system.databaseUrl)
  const deadline = Date.now() + PARKING_MS
  for (;;) {
    const { consumers, mail } = await system.ask<Status>('/api/status')
    const consumer = consumers.find(({ name }) => name === 'mail')
    const { behind, parked } = consumer ?? { behind: Number.NaN, parked: Number.NaN }
    if (behind === 0) {
      const has = mail.queued + mail.sent + mail.parked
      if (has !== owed.mails)
        violations.add('P50 P51', `${owed.mails} mails are owed, the mailer has ${has}`)
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

async function owedMails(url: string): Promise<{ mails: number; poison: number }> {
  let mails = 0
  let poison = 0
  for await (const { table, op, old, new: now, oversize } of readAudit(url, 'orders')) {
    if (table !== 'orders' || op === 'delete') continue
    if (oversize) poison++
    else if (isFilled(now) && !isFilled(old))
      mails += new Set([ALERT_RECIPIENT, emailOf(now)].filter((address) => address !== null)).size
  }
  return { mails, poison }
}

function isFilled(row: object | null): boolean {
  return (row as { status?: string } | null)?.status === 'filled'
}

function emailOf(row: object | null): string | null {
  return (row as { customer_email?: string | null } | null)?.customer_email ?? null
}
