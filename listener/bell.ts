/**
 * The bell: when writers are asked to ring, and when the listener looks for itself.
 *
 * The idea is the network card's: an interrupt for each packet while there are few, polling
 * under load. Asleep, the listener is woken by NOTIFY and is as quick as can be, but each
 * writer's commit takes a lock that the whole cluster shares. Awake, it drains in a loop and
 * writers pay nothing.
 *
 * Must hold (P12): nobody's change lies unheard. Falling asleep takes two steps. First the bell is
 * set to "asleep" (dozing): from here on writers ring. But a transaction that read "awake"
 * before may commit later and be silent about it, so the listener goes on looking until every
 * transaction that had begun to write by then has ended, and a look that was taken after that has
 * found all there was. Waking needs no such care: a needless ring harms nobody.
 *
 * The bell carries no truth: rings may fold or be late. The sweep looks all the same, and what it
 * finds is counted, because it should find nothing.
 */
export type BellState =
  /** Writers are silent; the listener looks for itself. */
  | { mode: 'awake'; windowStart: number; drained: number }
  /** Writers ring; those that began before `mark` may still be silent. */
  | { mode: 'dozing'; mark: bigint; windowStart: number; heard: number }
  /** Writers ring. */
  | { mode: 'asleep'; windowStart: number; heard: number }
  /** LISTEN could not be had: writers stay silent and the listener looks at a slow pace. */
  | { mode: 'polling' }

/** What one look at the outbox found. */
export type Look = {
  now: number
  rows: number
  /** There may be more than it could take. */
  more: boolean
  /** Rings heard since the last look. */
  rings: number
  /** Every transaction below this id has ended, by the snapshot of this look. */
  oldestRunning: bigint
}

export type Decision = {
  state: BellState
  /** `lie down`: set the bell to "asleep", then call {@link dozing}. `get up`: set it to "awake". */
  bell: 'lie down' | 'get up' | null
  /** How long to wait for a ring before looking again. */
  waitMs: number
}

/**
 * Between two looks, awake. Each look that finds something is a batch, and a batch costs listener
 * and feed some 3 ms of CPU however small it is: at 5,000 changes a second, more than the changes.
 */
const POLL_MS = 20
/** After a look that found so many, in a flood: a quarter less CPU of listener and feed. */
const FLOOD_ROWS = 20
const FLOOD_POLL_MS = 50
const DOZE_MS = 25
export const SWEEP_MS = 5_000
const POLLING_MS = 250

/** Get up at 250 rings a second: NOTIFY begins to throttle writers at about 900 commits/s. */
const CROWD_WINDOW_MS = 200
const CROWD_RINGS = 50
/** Lie down below 100 changes a second: there, a ring is quicker than the next look. */
const QUIET_WINDOW_MS = 500
const QUIET_CHANGES = 50

export function awake(now: number): BellState {
  return { mode: 'awake', windowStart: now, drained: 0 }
}

/** @param mark a transaction id taken after the bell was set: who read "awake" has a lower one */
export function dozing(mark: bigint, now: number): BellState {
  return { mode: 'dozing', mark, windowStart: now, heard: 0 }
}

export function afterLook(state: BellState, look: Look): Decision {
  switch (state.mode) {
    case 'polling':
      return { state, bell: null, waitMs: look.more ? 0 : POLLING_MS }
    case 'awake':
      return whileAwake(state, look)
    case 'dozing':
    case 'asleep':
      return whileRinging(state, look)
  }
}

function whileAwake(state: Extract<BellState, { mode: 'awake' }>, look: Look): Decision {
  const drained = state.drained + look.rows
  const waitMs = look.more ? 0 : look.rows > FLOOD_ROWS ? FLOOD_POLL_MS : POLL_MS
  if (look.now - state.windowStart < QUIET_WINDOW_MS)
    return { state: { ...state, drained }, bell: null, waitMs }
  return { state: awake(look.now), bell: drained < QUIET_CHANGES ? 'lie down' : null, waitMs }
}

function whileRinging(
  state: Extract<BellState, { mode: 'dozing' | 'asleep' }>,
  look: Look,
): Decision {
  const fresh = look.now - state.windowStart < CROWD_WINDOW_MS
  const heard = (fresh ? state.heard : 0) + look.rings
  if (heard >= CROWD_RINGS) return { state: awake(look.now), bell: 'get up', waitMs: 0 }

  const window = { windowStart: fresh ? state.windowStart : look.now, heard }
  if (look.more) return { state: { ...state, ...window }, bell: null, waitMs: 0 }
  // All there was is in hand, and who committed since then rings, if nobody is silent any more.
  if (state.mode === 'asleep' || look.oldestRunning >= state.mark)
    return { state: { mode: 'asleep', ...window }, bell: null, waitMs: SWEEP_MS }
  return { state: { ...state, ...window }, bell: null, waitMs: DOZE_MS }
}
