/**
 * Runs every promise reaction that is due, at once. So one step of a schedule is over, with all
 * that the product's `await`s do about it, before the next one is picked, and the whole
 * simulation is one synchronous program.
 *
 * `process._tickCallback` is Node's own way of doing so after each callback; it has stood on
 * `process` since Node 0.6, untyped. Awaiting `setImmediate` instead does the same six times as
 * slowly. Must be called outside of any promise reaction: there it does nothing, which
 * `requireMicrotasks` would notice.
 */
export const runMicrotasks = (process as unknown as { _tickCallback(): void })._tickCallback.bind(
  process,
)

/** @throws Error where microtasks cannot be run at once */
export function requireMicrotasks(): void {
  let ran = false
  void Promise.resolve().then(() => {
    ran = true
  })
  runMicrotasks()
  if (!ran) throw new Error('microtasks do not run here: call the simulation from a macrotask')
}
