/**
 * What one attempt at a delivery came to. The channel decides it by the status and the codes of
 * an answer, never by its words.
 *
 * Must hold: `inDoubt` is false only where the answer says that nothing went out. Whoever cannot
 * tell says true: such a delivery is repeated under the same key and with the same content, or
 * not at all.
 */
export type Outcome =
  | { kind: 'sent'; providerId: string | null }
  /** Nothing went out, and waiting does not help: parked for a person. */
  | { kind: 'refused'; error: string }
  /**
   * Tried again by itself, after `afterMs` at the earliest.
   * `down`: the provider as a whole is in trouble, so everything else waits as well.
   */
  | { kind: 'retry'; inDoubt: boolean; down: boolean; afterMs: number | null; error: string }
  /**
   * It concerns everyone and is nobody's fault: the whole courier pauses, and no delivery loses
   * an attempt. Without `afterMs` the pause grows with each hold that follows another.
   */
  | { kind: 'hold'; afterMs: number | null; error: string }
  /** The request was refused as a whole, for the sake of one in it: each goes alone. */
  | { kind: 'apart'; error: string }
  /** It went out under this key with other content, or may have: a person must look. */
  | { kind: 'unknown'; error: string }

/** One outcome for each payload of the request, in its order. */
export type Answer = {
  outcomes: Outcome[]
  /** How long to leave the provider alone, whatever came of this request. */
  pauseMs: number
}

/** What holds for everything in a request. */
export function forAll(outcome: Outcome, count: number, pauseMs: number): Answer {
  return { outcomes: Array.from({ length: count }, () => outcome), pauseMs }
}
