/**
 * Who asks, as the worker is told: a text, or a function that is asked anew before every attempt,
 * so that what it gives may expire. A token is a secret: it stands in the header of a request and in
 * the frame that prolongs a session, and in no address, no state, no reason and no error.
 */
export type Token = string | (() => string | Promise<string>)

/**
 * Holds the token of the newest attempt.
 * @throws TypeError when `token` is neither a text that says something nor a function
 */
export function tokenKeeper(token: Token | undefined) {
  if (token !== undefined && typeof token !== 'function' && !isToken(token))
    throw new TypeError('token: give a text that is not empty, or a function that gives one')
  const asks = typeof token === 'function'
  let current: string | null = asks ? null : (token ?? null)
  let asked = 0

  return {
    /** Whether it has to be asked for. */
    asks,
    get current(): string | null {
      return current
    },
    /**
     * Asks the caller.
     * @returns whether this was the newest question; of an older one nothing is kept
     * @throws Error in words without a token
     */
    async ask(): Promise<boolean> {
      if (typeof token !== 'function') return true
      const mine = ++asked
      let given: unknown
      try {
        given = await token()
      } catch (error) {
        if (mine !== asked) return false
        throw new Error(hide(error instanceof Error ? error.message : String(error)))
      }
      if (mine !== asked) return false
      if (!isToken(given)) throw new Error('the function did not give a text')
      current = given
      return true
    },
    hide,
  }

  /** The text without the token, should anyone have repeated it, as it is or out of an address. */
  function hide(text: string): string {
    if (current === null) return text
    const inQuery = new URLSearchParams([['', current]]).toString().slice(1)
    return [current, encodeURIComponent(current), inQuery].reduce(
      (hidden, form) => hidden.replaceAll(form, '…'),
      text,
    )
  }
}

function isToken(given: unknown): given is string {
  return typeof given === 'string' && given !== ''
}
