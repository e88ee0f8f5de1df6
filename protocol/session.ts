/**
 * The session of a socket lasts as long as the credential that opened it. The text frame
 * `refresh <token>` makes it last as long as another credential of the same principal, which reads
 * no less; the answer is a `refreshed` frame. What cannot do that closes the socket with 4401.
 */
const REFRESH = 'refresh '

/** Longer tokens are refused unread. */
export const MAX_TOKEN_CHARACTERS = 8_192

export function formatRefresh(token: string): string {
  return REFRESH + token
}

/** @returns the token; null if it is another frame, or too long */
export function parseRefresh(frame: string): string | null {
  if (!frame.startsWith(REFRESH) || frame.length > REFRESH.length + MAX_TOKEN_CHARACTERS)
    return null
  return /^\S+$/.exec(frame.slice(REFRESH.length))?.[0] ?? null
}
