/** Nothing that is asked here takes longer, unless the attack is about time. */
const ANSWER_MS = 15_000

export function signal(ms = ANSWER_MS): AbortSignal {
  return AbortSignal.timeout(ms)
}

/** @returns what it comes to, or `late` if it does not come to anything in time */
export async function beforeDeadline<Value>(
  coming: Promise<Value>,
  late: Value,
  ms = ANSWER_MS,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const end = new Promise<Value>((resolve) => {
    timer = setTimeout(() => resolve(late), ms)
  })
  try {
    return await Promise.race([coming, end])
  } finally {
    clearTimeout(timer)
  }
}

/** Asks again and again. @returns the first answer that is so, or the last one */
export async function until<Value>(
  ask: () => Promise<Value>,
  isIt: (value: Value) => boolean,
  ms = ANSWER_MS,
): Promise<Value> {
  for (
    const deadline = Date.now() + ms;
    ;
    await new Promise((resolve) => setTimeout(resolve, 100))
  ) {
    const value = await ask()
    if (isIt(value) || Date.now() > deadline) return value
  }
}
