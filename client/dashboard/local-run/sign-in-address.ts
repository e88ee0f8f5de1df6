import { z } from 'zod'

const signIn = z.object({ signInUrl: z.url() })

/**
 * A local run tells this page, in `/sign-in.json`, who gives out tokens. It is asked each time:
 * started again, it may be elsewhere.
 * @throws when there is none
 */
export async function signInAddress(): Promise<string> {
  const told = await fetch('/sign-in.json', { cache: 'no-store' })
  return signIn.parse(await told.json()).signInUrl
}
