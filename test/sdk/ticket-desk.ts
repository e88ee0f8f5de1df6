/**
 * As much of a worker as gives out tickets: `t1`, `t2` … It keeps who asked for what, and says no
 * as often as it is told to.
 */
export class TicketDesk {
  readonly asked: { path: string; token: string; topic: unknown }[] = []
  /** A promise is one that takes its time. */
  readonly refusals: (Response | Error | Promise<Response>)[] = []
  #given = 0

  /** The tokens, in order. */
  get tokens(): string[] {
    return this.asked.map(({ token }) => token)
  }

  refuse(status: number, title: string, headers: Record<string, string> = {}): this {
    this.refusals.push(Response.json({ title, status }, { status, headers }))
    return this
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const { pathname } = new URL(String(input))
    const authorization = new Headers(init?.headers).get('authorization') ?? ''
    const { topic } = JSON.parse(String(init?.body)) as { topic?: unknown }
    this.asked.push({ path: pathname, token: authorization.replace('Bearer ', ''), topic })
    const refusal = await this.refusals.shift()
    if (refusal instanceof Error) throw refusal
    if (refusal) return refusal
    return Response.json({ ticket: `t${++this.#given}`, expires_in_ms: 30_000 }, { status: 201 })
  }
}
