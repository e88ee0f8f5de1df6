/**
 * Compares two values of a version column: numbers, whole numbers too long for a
 * double (strings), or texts that sort in time (ISO 8601 in UTC).
 * @returns false as well when the two cannot be compared: then nothing is held back
 */
export function isOlder(version: unknown, held: unknown): boolean {
  if (typeof version === 'number' && typeof held === 'number') return version < held
  if (isWhole(version) && isWhole(held)) return BigInt(version) < BigInt(held)
  return typeof version === 'string' && typeof held === 'string' && version < held
}

function isWhole(value: unknown): value is number | string {
  return typeof value === 'number' ? Number.isInteger(value) : /^-?\d+$/.test(String(value))
}
