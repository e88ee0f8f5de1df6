import type { Change } from '../../protocol/change.ts'

/**
 * What an endpoint is sent: `{type, timestamp, data}` after Standard Webhooks, with the change as
 * every other reader of the feed gets it. The same change gives the same text, byte for byte.
 */

/** Receivers commonly read no more; a change beyond it travels without its images, as P6 has it. */
export const MAX_MESSAGE_BYTES = 512 * 1024

export function changeMessage(change: Change): string {
  const whole = text(change)
  if (new TextEncoder().encode(whole).length <= MAX_MESSAGE_BYTES) return whole
  return text({ ...change, new: null, old: null, oversize: true })
}

/** @param at ISO 8601 */
export function testMessage(endpoint: string, at: string): string {
  const data = { endpoint, message: 'A test, which somebody asked for. Nothing has changed.' }
  return JSON.stringify({ type: TEST_TYPE, timestamp: at, data })
}

export const TEST_TYPE = 'belfry.test'

function text(change: Change): string {
  const { table, op, at } = change
  return JSON.stringify({ type: `${table}.${op}`, timestamp: at, data: change })
}
