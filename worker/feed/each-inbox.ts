const MOST_AT_ONCE = 32

/** Does the work for the inbox of each user, for no more than MOST_AT_ONCE of them at a time. */
export async function eachInbox(
  users: readonly string[],
  work: (user: string) => Promise<void>,
): Promise<void> {
  const waiting = users.values()
  const one = async () => {
    for (const user of waiting) await work(user)
  }
  await Promise.all(Array.from({ length: Math.min(MOST_AT_ONCE, users.length) }, one))
}
