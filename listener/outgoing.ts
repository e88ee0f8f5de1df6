import { MAX_CHANGE_BYTES } from '../protocol/link.ts'
import { quoteInexactNumbers } from './exact-numbers.ts'

/**
 * A change as it goes over the link. Quoting numbers makes it longer, so its size is asked once
 * more here: what the feed could not store would otherwise hold up all that follows.
 * @param change JSON text, as `belfry.peek` gives it
 */
export function outgoing(change: string): { text: string; oversize: boolean } {
  const text = quoteInexactNumbers(change)
  if (Buffer.byteLength(text) <= MAX_CHANGE_BYTES) return { text, oversize: isOversize(text) }
  const bare = { ...JSON.parse(text), new: null, old: null, oversize: true }
  return { text: JSON.stringify(bare), oversize: true }
}

function isOversize(text: string): boolean {
  return text.endsWith(',"oversize":true}')
}
