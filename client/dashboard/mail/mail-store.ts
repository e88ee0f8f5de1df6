import { signal } from '@preact/signals'
import type { ConnectionState } from '../../sdk/belfry.ts'
import type { Refusal } from '../refusal.ts'
import type { Email, EmailStory } from './email.ts'
import type { Rule, Template } from './rule.ts'
import type { MailCounts } from './states.ts'

/*
 * Law. The courier is authoritative. A mail stands here because an answer said so, never because
 * a button was pressed: a button asks the API, and what it did is read like anything else. A poke
 * only says that it is time to ask again. All of this is written by `watch-mails.ts` alone; the
 * rules, which change seldom, by `catalog.ts`.
 *
 * When something fails, what is shown stays and says that it is old.
 */

/** `asked` is the question that was answered: another filter, and these are not its mails. */
export type Mails = { asked: string; emails: readonly Email[]; more: boolean }
export const mails = signal<Mails | null>(null)
export const counts = signal<MailCounts | null>(null)
/** Why the last reading failed; null once one has succeeded. */
export const mailsRefusal = signal<Refusal | null>(null)
export const pokesState = signal<ConnectionState>({ state: 'connecting', attempt: 1 })

export const MAILS_STEP = 50
/** How many are to be shown. */
export const wanted = signal(MAILS_STEP)

/** The mail that is open. */
export type Story =
  | { state: 'loading'; id: number }
  | { state: 'read'; id: number; story: EmailStory; refusal: Refusal | null }
  | { state: 'failed'; id: number; refusal: Refusal }
export const story = signal<Story | null>(null)

export type Catalog =
  | { state: 'loading' }
  | { state: 'read'; rules: readonly Rule[]; templates: readonly Template[] }
  | { state: 'failed'; refusal: Refusal }
export const catalog = signal<Catalog>({ state: 'loading' })
