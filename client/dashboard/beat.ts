/** A hidden page gets no animation frames; its state must still move on. */
const LATEST_MS = 500

/** After a draw that took t, rest at least so many times t: a burst may cost a third of the time. */
const REST_FACTOR = 2

/**
 * However often it is asked, `run` is called at most once in an animation frame,
 * and less often while each call is dear.
 * @returns asks for a call of `run`
 */
export function onBeat(run: () => void): () => void {
  let asked = false
  let notBefore = 0

  function fire() {
    asked = false
    const began = performance.now()
    run()
    const ended = performance.now()
    notBefore = ended + REST_FACTOR * (ended - began)
  }

  function arm() {
    let fired = false
    const once = () => {
      if (fired) return
      fired = true
      cancelAnimationFrame(frame)
      clearTimeout(backstop)
      fire()
    }
    const frame = requestAnimationFrame(once)
    const backstop = setTimeout(once, LATEST_MS)
  }

  return () => {
    if (asked) return
    asked = true
    const restMs = notBefore - performance.now()
    if (restMs > 16) setTimeout(arm, restMs)
    else arm()
  }
}
