import type { CapturedChange, Row } from '../../protocol/change.ts'
import type { Owed } from '../courier/delivery.ts'
import { matches } from '../rules/condition.ts'
import { keyText, valueText } from '../rules/key-text.ts'
import type { AddressSetting, MailRule, Recipient } from '../rules/rule.ts'
import { isWanted } from '../rules/wish.ts'
import { type Audience, bodyOf } from './body.ts'
import { recipients, sameMailbox } from './recipients.ts'

/**
 * Which mails a change owes under the rules in force. It is a fact about the two: it does not
 * matter who wrote the row or how often the change is handed over.
 *
 * Must hold: whoever is named is owed a mail. A value that is no address is handed over as it is,
 * so that the mailer parks it where a person sees it; it never becomes several. A rule that cannot
 * be decided or filled in is named in `failures`, and keeps no other rule's mail back.
 */
export type MailsOwed = { owed: Owed[]; failures: string[] }

export type AddressSettings = Partial<Record<AddressSetting, string>>

/** Longer than any address; what is cut here is none. */
const RECIPIENT_MAX = 320

export function owedMails(
  change: CapturedChange,
  rules: readonly MailRule[],
  settings: AddressSettings,
): MailsOwed {
  const found: MailsOwed = { owed: [], failures: [] }
  for (const rule of rules) {
    const match = matches(rule, change)
    if (match === 'no') continue
    try {
      if (match === 'unknown') throw new Error(UNKNOWN)
      found.owed.push(...owedBy(rule, change, settings))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      const row = `${change.table} ${keyText(change.key)}`
      found.failures.push(`Rule "${rule.name}" (${rule.id}) and ${row}: ${why}`)
    }
  }
  return found
}

const UNKNOWN =
  'the row was too large to travel, so it is not known whether a mail is owed. Look at the row, and write by hand if one is.'

function owedBy(rule: MailRule, change: CapturedChange, settings: AddressSettings): Owed[] {
  const row = change.new ?? change.old
  const named = new Map<string, { recipient: string; audience: Audience }>()
  const isWish = isWanted(change, 'mail')
  for (const each of rule.recipients) {
    if ('user' in each && !isWish) continue
    const audience: Audience = 'setting' in each || 'address' in each ? 'staff' : 'customer'
    for (const recipient of recipientsOf(each, row, settings)) {
      const known = named.get(sameMailbox(recipient))
      // Who is staff too is written to as staff.
      if (!known || (known.audience === 'customer' && audience === 'staff'))
        named.set(sameMailbox(recipient), { recipient, audience })
    }
  }
  if (named.size === 0) return []
  const bodyFor = bodyOf(rule, change)
  return Array.from(named.values(), ({ recipient, audience }) => ({
    rule: rule.id,
    ruleName: rule.name,
    change: change.id,
    table: change.table,
    key: keyText(change.key),
    recipient,
    body: bodyFor(audience),
  }))
}

function recipientsOf(named: Recipient, row: Row | null, settings: AddressSettings): string[] {
  if ('setting' in named) return recipients(settings[named.setting]).map(asAddress)
  if ('address' in named) return [asAddress(named.address)]
  // Of a TRUNCATE there is no row, and so nobody in it.
  if (row === null) return []
  const column = 'column' in named ? named.column : named.user
  if (!Object.hasOwn(row, column))
    throw new Error(`there is no column "${column}" to take a recipient from.`)
  const text = valueText(row[column] ?? null)
    .trim()
    .slice(0, RECIPIENT_MAX)
    .toWellFormed()
  if (text === '') return []
  return ['column' in named ? asAddress(text) : `user:${text}`]
}

/** Whatever stands where an address should never names a user: quoted, it is parked as none. */
function asAddress(text: string): string {
  return text.startsWith('user:') ? JSON.stringify(text) : text
}
