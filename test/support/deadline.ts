/**
 * Waits for a signal, and fails with what was waited for when it does not come.
 * @param what completes "nobody saw …"
 */
export async function within<T>(ms: number, what: string, signal: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`within ${ms} ms nobody saw ${what}`)), ms)
  })
  try {
    return await Promise.race([signal, over])
  } finally {
    clearTimeout(timer)
  }
}
