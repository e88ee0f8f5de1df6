import { batch, computed, effect } from '@preact/signals'
import type { Pokes } from '../../sdk/pokes.ts'
import { coalesced } from '../coalesced.ts'
import { route } from '../navigation.ts'
import { isForOthers } from '../refusal.ts'
import type { Outcome } from '../request.ts'
import type { Email } from './email.ts'
import { followMails } from './follow-mails.ts'
import { counts, MAILS_STEP, mails, mailsRefusal, pokesState, story, wanted } from './mail-store.ts'
import { type MailQuery, mailParams } from './query.ts'
import { readMail, readMails } from './requests.ts'

const MAX_PAGE = 200
/** Pokes come up to four times a second; an eye needs fewer. */
const REST_MS = 400
/** Behind the pokes, should one be lost; and in their place. */
const SWEEP_MS = 30_000
const SWEEP_MS_WITHOUT_POKES = 5_000

const list = coalesced(readList, REST_MS)
const opened = coalesced(readStory, REST_MS)

let pokes: Pokes | null = null

/** null on another page. */
const question = computed(() => {
  const at = route.value
  return at.page === 'mail' && at.pane === 'mails' ? String(mailParams(at.query)) : null
})
const openId = computed(() => {
  const at = route.value
  return at.page === 'mail' && at.pane === 'mails' ? at.open : null
})
const isShown = computed(() => question.value !== null)

/** Keeps the mails on the screen as the courier has them, while they are looked at. */
export function watchMails(): void {
  effect(() => (isShown.value ? followPokes() : undefined))
  effect(() => {
    if (question.value !== null) wanted.value = MAILS_STEP
  })
  effect(() => {
    if (question.value === null || wanted.value === 0) list.stop()
    else list.restart()
  })
  effect(() => {
    const id = openId.value
    story.value = id === null ? null : { state: 'loading', id }
    if (id === null) opened.stop()
    else opened.restart()
  })
  document.addEventListener('visibilitychange', askAgain)
}

/** Nothing on another page. */
export function reconnectPokes(): void {
  pokes?.reconnect()
}

/** @returns ends it */
function followPokes(): () => void {
  pokes = followMails({
    onPoke: askAgain,
    onState(state) {
      pokesState.value = state
    },
  })
  let sweptAt = Date.now()
  const sweep = setInterval(() => {
    const every = pokesState.peek().state === 'live' ? SWEEP_MS : SWEEP_MS_WITHOUT_POKES
    if (Date.now() - sweptAt < every) return
    sweptAt = Date.now()
    askAgain()
  }, 1_000)
  return () => {
    clearInterval(sweep)
    pokes?.close()
    pokes = null
  }
}

/** What is shown is read again; nothing happens on another page, or while nobody looks. */
export function askAgain(): void {
  if (document.hidden || !isShown.peek()) return
  const refused = mailsRefusal.peek()
  // Asking again would not open them.
  if (refused !== null && isForOthers(refused)) return
  list.ask()
  if (openId.peek() !== null) opened.ask()
}

async function readList(signal: AbortSignal): Promise<void> {
  const at = route.peek()
  if (at.page !== 'mail' || at.pane !== 'mails') return
  const { query } = at
  const emails: Email[] = []
  let cursor: string | null = null
  do {
    const limit = Math.min(MAX_PAGE, wanted.peek() - emails.length)
    const page: Awaited<ReturnType<typeof readPage>> = await readPage(query, limit, cursor, signal)
    if (page === null) return
    if (!page.ok) {
      mailsRefusal.value = page.refusal
      return
    }
    emails.push(...page.value.emails)
    cursor = page.value.next_cursor
    counts.value = page.value.counts
  } while (cursor !== null && emails.length < wanted.peek())
  batch(() => {
    mails.value = { asked: String(mailParams(query)), emails, more: cursor !== null }
    mailsRefusal.value = null
  })
}

/** @returns null when the answer is no longer wanted */
function readPage(query: MailQuery, limit: number, cursor: string | null, signal: AbortSignal) {
  return unlessAborted(readMails(query, { limit, cursor }, signal), signal)
}

async function readStory(signal: AbortSignal): Promise<void> {
  const id = story.peek()?.id
  if (id === undefined) return
  const outcome = await unlessAborted(readMail(id, signal), signal)
  const before = story.peek()
  if (outcome === null || before?.id !== id) return
  if (outcome.ok) story.value = { state: 'read', id, story: outcome.value, refusal: null }
  else if (before.state === 'read') story.value = { ...before, refusal: outcome.refusal }
  else story.value = { state: 'failed', id, refusal: outcome.refusal }
}

async function unlessAborted<T>(
  asked: Promise<Outcome<T>>,
  signal: AbortSignal,
): Promise<Outcome<T> | null> {
  try {
    const outcome = await asked
    return signal.aborted ? null : outcome
  } catch (error) {
    if (signal.aborted) return null
    throw error
  }
}
