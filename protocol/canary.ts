/**
 * The canary: a change of Belfry's own that goes the way of any other every few seconds, so that
 * "all is well" is something that was seen and not something that nobody has denied. The feed
 * takes it out before the log: it has no offset, and no subscriber and no consumer sees it.
 */
export const CANARY_TABLE = 'belfry.canary'

/** So long after a beat has come back the next one is written. */
export const CANARY_MS = 5_000

/** A feed that has had no beat for so long does not deliver. */
export const CANARY_LATE_MS = 15_000
