import { Failure } from './failure.ts'

/** What one check of the doctor came to. `advice` is what to do, a whole sentence. */
export type Verdict =
  | { result: 'fine'; said: string }
  | { result: 'warning'; said: string; advice: string }
  | { result: 'failed'; said: string; advice: string | null }

export type Finding = { name: string } & (
  | (Verdict & { ms: number })
  /** Nothing to look at, because another check failed. */
  | { result: 'skipped'; said: string }
)

/** @param work throws a Failure for a verdict whose advice is in its sentence */
export async function examine(name: string, work: () => Promise<Verdict>): Promise<Finding> {
  const began = performance.now()
  const verdict = await work().catch((error: unknown): Verdict => {
    if (error instanceof Failure) return { result: 'failed', said: error.message, advice: null }
    const said = error instanceof Error ? error.message : String(error)
    return { result: 'failed', said, advice: 'Run the doctor again; if it stays, read the log.' }
  })
  return { name, ...verdict, ms: performance.now() - began }
}

export function* skip(names: readonly string[], because: string): Generator<Finding> {
  for (const name of names) yield { name, result: 'skipped', said: because }
}

export function fine(said: string): Verdict {
  return { result: 'fine', said }
}

export function warning(said: string, advice: string): Verdict {
  return { result: 'warning', said, advice }
}

export function failed(said: string, advice: string): Verdict {
  return { result: 'failed', said, advice }
}
