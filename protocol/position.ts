/**
 * A place in the feed: `offset` within one life of the feed, its `epoch`.
 * It is what a client keeps; it means "I have everything up to here".
 */
export type Position = { epoch: string; offset: number }

/** `epoch:offset`, the form that stands in an SSE `id:` and in `Last-Event-ID`. */
export function formatPosition({ epoch, offset }: Position): string {
  return `${epoch}:${offset}`
}

/** @returns null when the text is not a position. */
export function parsePosition(text: string): Position | null {
  const match = /^([0-9a-z]{1,32}):(\d{1,15})$/.exec(text)
  return match ? { epoch: match[1] as string, offset: Number(match[2]) } : null
}
