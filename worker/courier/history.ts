import type { DeliveryEvent } from './delivery.ts'

/**
 * What happened to a delivery, kept in its own row as JSON: one write for the step and its story.
 * The newest 50 entries stay, so that a mail which is opened every day does not grow for ever.
 */
export const HISTORY_MAX = 50
const DETAIL_MAX = 500

/** `event`: the provider's id of it, by which a repetition is known. */
type Entry = DeliveryEvent & { event?: string }

export const NO_HISTORY = '[]'

export function withEntry(
  history: string,
  kind: string,
  at: number | string,
  detail: string | null,
  event?: string,
): string {
  const entry: Entry = {
    at: new Date(at).toISOString(),
    kind,
    detail: detail === null ? null : shortened(detail, DETAIL_MAX),
    ...(event !== undefined && { event }),
  }
  return JSON.stringify([...entriesOf(history), entry].slice(-HISTORY_MAX))
}

/** As if the attempt that is under way had not been made. */
export function withoutLastAttempt(history: string): string {
  const entries = entriesOf(history)
  const index = entries.findLastIndex(({ kind }) => kind === 'attempt')
  return JSON.stringify(entries.filter((_, at) => at !== index))
}

export function hasHeard(history: string, event: string): boolean {
  return entriesOf(history).some((entry) => entry.event === event)
}

/** In the order in which it happened, which is not always the one in which it was heard. */
export function readHistory(history: string, createdAt: number): DeliveryEvent[] {
  const happened = entriesOf(history)
    .map(({ at, kind, detail }) => ({ at, kind, detail }))
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
  return [{ at: new Date(createdAt).toISOString(), kind: 'queued', detail: null }, ...happened]
}

export function shortened(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`
}

function entriesOf(history: string): Entry[] {
  return JSON.parse(history)
}
