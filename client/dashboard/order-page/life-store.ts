import { signal } from '@preact/signals'
import type { Refusal } from '../refusal.ts'
import type { Life } from './life.ts'

/*
 * Law. The API is authoritative: a version stands here because an answer said so. That the order
 * moved, or a mail of it, only says that it is time to ask again. Written by `watch-life.ts` alone.
 *
 * When something fails, what is shown stays and says that it is old.
 */
export type ReadLife =
  | { state: 'loading'; id: number }
  | { state: 'read'; id: number; life: Life; refusal: Refusal | null }
  | { state: 'failed'; id: number; refusal: Refusal }
export const lifeOf = signal<ReadLife | null>(null)
