import { signal } from '@preact/signals'
import { pastedBefore, setSource, takeWhy } from './credential.ts'
import { readPasted } from './pasted.ts'
import { words } from './refusal.ts'
import { request } from './request.ts'

/** Whether the page may be shown at all. It opens at most once in its life: see credential.ts. */
export type Session =
  | { state: 'opening' }
  /** Nobody comes in without a credential. `why` the last one ended. */
  | { state: 'shut'; why: string | null }
  | { state: 'open'; as: 'anyone' | 'pasted' | 'local' }
export const session = signal<Session>({ state: 'opening' })

/** Someone who is in as anyone wants to say who they are. */
export const isSigningIn = signal(false)

/** In a local run nobody is asked; elsewhere, who brought nothing is asked if nothing is open to anyone. */
export async function openSession(): Promise<void> {
  if (import.meta.env.MODE === 'local-run') {
    const { staffToken } = await import('./local-run/staff.ts')
    setSource({ kind: 'renewed', give: staffToken })
    session.value = { state: 'open', as: 'local' }
    return
  }
  const before = pastedBefore()
  if (before !== null) {
    setSource({ kind: 'pasted', text: before })
    session.value = { state: 'open', as: 'pasted' }
    return
  }
  const why = takeWhy()
  const asked = await request('GET', '/api/status')
  const isShut = !asked.ok && asked.refusal.code === 'unauthorized'
  session.value = isShut ? { state: 'shut', why } : { state: 'open', as: 'anyone' }
}

/**
 * Lets a person in who is let in by the worker.
 * @returns what is wrong, in a sentence; null when nothing is
 */
export async function signIn(text: string): Promise<string | null> {
  const pasted = readPasted(text)
  if (!pasted.ok) return pasted.wrong
  const { credential } = pasted
  const asked = await request('GET', '/api/status', { credential })
  if (!asked.ok) {
    if (asked.refusal.code !== 'unauthorized') return words(asked.refusal)
    return 'That is not a key or a token that opens this Belfry, or it has ended. Ask whoever runs it for another.'
  }
  setSource({ kind: 'pasted', text: credential })
  // What was read as anyone must not stand beside what is read now.
  if (session.peek().state === 'open') location.reload()
  else session.value = { state: 'open', as: 'pasted' }
  return null
}
