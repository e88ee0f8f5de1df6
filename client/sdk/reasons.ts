import { type CloseName, closeCodes } from '../../protocol/close-codes.ts'

/** Why a socket was given up. Each of these is followed by another attempt. */
export type Loss =
  /** The socket closed, by the server or by the way there; `name` is set if the code is ours. */
  | { kind: 'closed'; code: number; name: CloseName | null; detail: string }
  /** Nothing was heard for `forMs`, although something was due. */
  | { kind: 'silent'; forMs: number }
  /** A frame began after our position: what lies between must be asked for again. */
  | { kind: 'gap'; mine: string; theirs: string }
  /** A frame could not be read. */
  | { kind: 'malformed'; detail: string }
  /** The function that gives the token failed, or gave none in time. */
  | { kind: 'token'; detail: string }
  /** The worker gave no ticket for the socket. */
  | { kind: 'ticket'; detail: string }

/** Why a connection is closed for good. */
export type Ending =
  /** `close()` was called. */
  | { kind: 'asked' }
  /** The server said no in a way that no further attempt would change. */
  | { kind: 'refused'; code: number; name: CloseName; detail: string }

/** One clause for a person, without a full stop: "this server is stopping". */
export function describe(reason: Loss | Ending): string {
  switch (reason.kind) {
    case 'closed': {
      if (reason.name !== null) return withDetail(meaningOf(reason.name), reason.detail)
      if (reason.code === 1006)
        return withDetail(
          'the server cannot be reached, or the connection broke off',
          reason.detail,
        )
      return withDetail(`the connection was closed (${reason.code})`, reason.detail)
    }
    case 'silent':
      return `nothing was heard for ${Math.round(reason.forMs / 1000)} s`
    case 'gap':
      return `a frame from ${reason.theirs} came while we stand at ${reason.mine}; asking again`
    case 'malformed':
      return `a frame could not be read: ${reason.detail}`
    case 'token':
      return `there is no token: ${reason.detail}`
    case 'ticket':
      return `there is no ticket for the socket: ${reason.detail}`
    case 'asked':
      return 'closed on request'
    case 'refused':
      if (reason.name === 'unauthorized' && reason.detail !== '')
        return `the worker does not let you in: ${reason.detail}`
      if (reason.name === 'origin_refused')
        return `the worker serves no pages of this origin: ${reason.detail || 'add it to its setting ALLOWED_ORIGINS'}`
      return withDetail(meaningOf(reason.name), reason.detail)
  }
}

/** What follows the semicolon says what to do next; that is done here. */
function meaningOf(name: CloseName): string {
  const { meaning } = closeCodes[name]
  return meaning.split(';')[0] ?? meaning
}

function withDetail(meaning: string, detail: string): string {
  return detail === '' ? meaning : `${meaning}: ${detail}`
}
