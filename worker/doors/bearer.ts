/** @returns what stands behind `Authorization: Bearer`; null if the header is not that */
export function bearerOf(authorization: string): string | null {
  return /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? null
}
