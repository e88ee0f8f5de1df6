const longLifeMs = 10_000
const firstPauseMs = 500
const longestPauseMs = 5_000

/**
 * How long to wait before a process that died is started again: half a second,
 * doubling up to five while its lives are shorter than ten seconds.
 * @param shortLives how many short lives in a row came before this one
 */
export function restartDelayMs(
  livedMs: number,
  shortLives: number,
): { ms: number; shortLives: number } {
  const inARow = livedMs < longLifeMs ? shortLives + 1 : 1
  return { ms: Math.min(longestPauseMs, firstPauseMs * 2 ** (inARow - 1)), shortLives: inARow }
}
