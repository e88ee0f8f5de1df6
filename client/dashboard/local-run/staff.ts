import { z } from 'zod'
import { signInAddress } from './sign-in-address.ts'

/** Of an hour: a socket that prolongs its session in time asks for another before it needs one. */
const SPARE_MS = 15 * 60_000

const answer = z.object({ token: z.string(), expires_at: z.string() })
type Staff = z.infer<typeof answer>

let held: Staff | null = null
let asked: Promise<Staff> | null = null

/**
 * What opens everything but the inboxes, as long as the local run is there.
 * @param refused what the worker did not take: another is asked for
 * @throws Error in words for a person
 */
export async function staffToken(refused: string | null): Promise<string> {
  if (held?.token === refused) held = null
  if (held !== null && Date.parse(held.expires_at) - Date.now() > SPARE_MS) return held.token
  // Whoever asks meanwhile gets the same.
  asked ??= ask().finally(() => {
    asked = null
  })
  held = await asked
  return held.token
}

async function ask(): Promise<Staff> {
  try {
    const response = await fetch(new URL('/staff', await signInAddress()), { cache: 'no-store' })
    return answer.parse(await response.json())
  } catch {
    throw new Error(
      'The local run gave no token: look in the terminal where `npm start` runs, and start it again if it has ended.',
    )
  }
}
