import type { ChildProcess } from 'node:child_process'

/**
 * Calls from the run to a load process over Node's own channel: a method's name and one argument
 * there, its result or the message of its error back.
 */
type Call = { id: number; method: string; argument: unknown }
type Answer = { id: number; result: unknown } | { id: number; error: string }

// biome-ignore lint/suspicious/noExplicitAny: each process names the types of its own methods.
export type Methods = { [name: string]: (argument: any) => unknown }

/** In the load process. It ends with the run that started it. */
export function answerCalls(methods: Methods): void {
  process.on('message', async ({ id, method, argument }: Call) => {
    try {
      process.send?.({ id, result: await methods[method]?.(argument) } satisfies Answer)
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? `${error.stack}` : String(error) })
    }
  })
  process.once('disconnect', () => process.exit())
}

export type Caller<M extends Methods> = <K extends keyof M & string>(
  method: K,
  argument: Parameters<M[K]>[0],
) => Promise<Awaited<ReturnType<M[K]>>>

/** In the run. */
export function caller<M extends Methods>(life: ChildProcess): Caller<M> {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let calls = 0
  life.on('message', (answer: Answer) => {
    const call = waiting.get(answer.id)
    waiting.delete(answer.id)
    if ('error' in answer) call?.reject(new Error(answer.error))
    else call?.resolve(answer.result)
  })
  life.once('exit', () => {
    for (const call of waiting.values()) call.reject(new Error('a load process ended'))
    waiting.clear()
  })
  return async (method, argument) => {
    const id = ++calls
    const call = Promise.withResolvers<unknown>()
    waiting.set(id, call)
    life.send({ id, method, argument } satisfies Call)
    return (await call.promise) as never
  }
}
