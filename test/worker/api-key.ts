/** A key of the shape that ours have, of one character all through. */
export function keyOf(character: string): string {
  return `belfry_${character.repeat(43)}`
}

/** As the keyring has it. */
export async function hashOf(key: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key))
  return new Uint8Array(digest).reduce((hex, byte) => hex + byte.toString(16).padStart(2, '0'), '')
}
