import { setImmediate } from 'node:timers/promises'
import { type ConnectOptions, connectOn } from '../../client/sdk/connect.ts'
import type { ConnectionState } from '../../client/sdk/connection-state.ts'
import { TicketDesk } from './ticket-desk.ts'
import { World } from './world.ts'

/** A connection in a world of its own, with what it said. */
export function begin(options: Partial<ConnectOptions> = {}, desk = new TicketDesk()) {
  const world = new World()
  const states: ConnectionState[] = []
  const got: number[] = []
  const connection = connectOn(
    world,
    {
      url: 'http://127.0.0.1:8787',
      onState: (state) => states.push(state),
      onChange: (change) => got.push(change.offset),
      ...options,
    },
    desk.fetch,
  )
  return { world, desk, connection, states, got }
}

/** Every answer that is under way has come. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await setImmediate()
}
