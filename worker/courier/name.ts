import { sha256Hex } from '../sha256.ts'
import type { Owed } from './delivery.ts'

/**
 * What a delivery is called, for ever: by its change, its rule and its recipient, in a form that
 * providers take as an idempotency key (under 256 characters) and as a tag.
 */
export type Named = { owed: Owed; recipientKey: string; baseKey: string; tag: string }

export async function named(owed: Owed, recipientKey: string): Promise<Named> {
  const hash = await hashOf(recipientKey)
  return {
    owed,
    recipientKey,
    baseKey: `${owed.change}/${owed.rule}/${hash}`,
    tag: tagOf(owed.change, owed.rule, hash),
  }
}

/** Letters, digits, `_` and `-` are all that Resend takes in a tag. */
export function tagOf(change: string, rule: number, hash: string): string {
  return `${change.replace(/[^A-Za-z0-9_-]/g, '_')}-${rule}-${hash}`
}

/** 128 bits of SHA-256, as hex. */
export async function hashOf(text: string): Promise<string> {
  return (await sha256Hex(text)).slice(0, 32)
}
