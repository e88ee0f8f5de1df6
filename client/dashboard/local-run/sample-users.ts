import { signal } from '@preact/signals'
import { z } from 'zod'
import { signInAddress } from './sign-in-address.ts'

/*
 * A local run lets one be any of its users, and whoever runs it (staff.ts). Must hold: nothing of
 * this folder is in a build that is deployed (vite.config.ts).
 */

const KEY = 'belfry.user'
/** A token that is about to expire is asked for again. */
const SPARE_MS = 60_000

const user = z.object({
  id: z.int(),
  name: z.string(),
  email: z.string().nullable(),
  token: z.string(),
  expires_at: z.string(),
})
export type SampleUser = z.infer<typeof user>

export const users = signal<readonly SampleUser[]>([])
/** null until they are known, or if there is none. */
export const chosen = signal<number | null>(null)

/** Asked again whenever the page is shown, until there are some. */
export async function readUsers(): Promise<void> {
  try {
    const answer = await fetch(new URL('/users', await signInAddress()))
    const found = z.array(user).parse(await answer.json())
    users.value = found
    const before = chosen.peek() ?? remembered()
    chosen.value = (found.find(({ id }) => id === before) ?? found[0])?.id ?? null
  } catch {
    // The page is whole without an inbox; the run may be stopping.
  }
}

export function choose(id: number): void {
  chosen.value = id
  try {
    localStorage.setItem(KEY, String(id))
  } catch {
    // Storage may be forbidden; the choice then holds until the page is left.
  }
}

/** @throws Error in words for a person */
export async function tokenOf(id: number): Promise<string> {
  const known = find(id)
  if (known && Date.parse(known.expires_at) - Date.now() > SPARE_MS) return known.token
  await readUsers()
  const found = find(id)
  if (!found) throw new Error(`nobody signs in user ${id}: is the local run still there?`)
  return found.token
}

function find(id: number): SampleUser | undefined {
  return users.peek().find((each) => each.id === id)
}

function remembered(): number | null {
  try {
    const text = localStorage.getItem(KEY)
    return text === null ? null : Number(text)
  } catch {
    return null
  }
}
