/**
 * How long a subscription may be silent before an empty `changes` frame is sent; a socket that is
 * silent by nature is asked by its client as often.
 */
export const HEARTBEAT_MS = 15_000
