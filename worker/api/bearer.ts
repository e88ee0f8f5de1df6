import type { Context } from 'hono'

const MAX_CHARACTERS = 4_096

/** @returns what stands behind `Authorization: Bearer`; null if nothing readable does */
export function bearerOf(c: Context): string | null {
  const [, token = null] = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '') ?? []
  return token !== null && token.length <= MAX_CHARACTERS ? token : null
}
