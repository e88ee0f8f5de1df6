/**
 * Loaded into the listener before its own code (`node --import`): a wall clock that jumps, forth
 * and back by turns, at each SIGUSR2. Only `Date` moves, as on a machine whose clock is set;
 * timers go by the monotonic clock, and so do they here.
 */
const JUMP_MS = 200_000
const now = Date.now.bind(Date)
let aheadMs = 0

Date.now = () => now() + aheadMs

process.on('SIGUSR2', () => {
  aheadMs = aheadMs > 0 ? -JUMP_MS : JUMP_MS
  console.log(`the clock was set: it is now ${aheadMs / 1000} s off`)
})
