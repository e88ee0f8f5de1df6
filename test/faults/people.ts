import { setTimeout as delay } from 'node:timers/promises'
import { InboxUser } from '../support/inbox-user.ts'
import type { Chance } from './chance.ts'
import { Device } from './devices.ts'
import type { System } from './system.ts'
import { INBOX_USERS } from './transactions-of-inboxes.ts'

const DEVICES = 6

/**
 * Users who read, open and mark through the API while it is taken from under them: what is refused
 * or gets no answer is left, as a person would. Some have a tab open all the time.
 */
export class People {
  readonly users: readonly InboxUser[]
  readonly devices: readonly Device[]
  visits = 0
  readonly #stop = new AbortController()
  readonly #loops: Promise<void>[]

  private constructor(users: InboxUser[], devices: Device[], chance: Chance) {
    this.users = users
    this.devices = devices
    this.#loops = users.map((user) => this.#live(user, chance.of(`person ${user.id}`)))
  }

  static async join(system: System, chance: Chance): Promise<People> {
    const ids = Array.from({ length: INBOX_USERS }, (_, index) => index + 1)
    const users = await Promise.all(ids.map((id) => InboxUser.signIn(id, system.asUsers)))
    const devices = users.slice(0, DEVICES).map((user) => new Device(user, system.violations))
    await Promise.all(devices.map((device) => device.start()))
    return new People(users, devices, chance)
  }

  /** They do nothing more, but the tabs stay open. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#loops)
  }

  leave(): void {
    for (const device of this.devices) device.stop()
  }

  async #live(user: InboxUser, chance: Chance): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await visit(user, chance).then(
        () => this.visits++,
        () => undefined,
      )
      await delay(chance.whole(200, 3_000), undefined, { signal: this.#stop.signal }).catch(
        () => undefined,
      )
    }
  }
}

async function visit(user: InboxUser, chance: Chance): Promise<void> {
  const { notifications } = await user.list()
  if (chance.next() < 0.5) await user.open()
  const one = notifications[chance.whole(0, 4)]
  if (one && chance.next() < 0.7) await user.read(one.id)
}
