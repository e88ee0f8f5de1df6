import type { Env } from '../env.ts'
import type { Denied } from './credential.ts'
import type { Principal } from './principal.ts'

/** What a route is served with: set at the door, before any route (request-id.ts, identify.ts). */
export type Served = {
  Bindings: Env
  /** `denied`: what came as a credential is none; `principal` is then nobody, without any scope. */
  Variables: { principal: Principal; requestId: string; denied?: Denied }
}

/** Behind the permission `user` (guard.ts). `user`: `users.id`, as text. */
export type ServedUser = {
  Bindings: Env
  Variables: Served['Variables'] & { user: string }
}
