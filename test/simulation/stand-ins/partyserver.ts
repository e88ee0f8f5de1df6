import type { ObjectContext } from '../objects.ts'
import type { ServerSocket } from '../sockets.ts'

/** In place of partyserver: what Feed and Shard use of it. */
export class Server<Env> {
  readonly ctx: ObjectContext
  readonly env: Env

  constructor(ctx: ObjectContext, env: Env) {
    this.ctx = ctx
    this.env = env
  }

  get name(): string {
    return this.ctx.name
  }

  *getConnections(): Generator<ServerSocket> {
    for (const socket of this.ctx.sockets()) if (socket.readyState === 1) yield socket
  }
}
