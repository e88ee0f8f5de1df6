import { beforeEach } from 'vitest'
import { AdminWorld, type Answer } from './admin-world.ts'

export const PATH = '/api/notifications'
export const LATER = '2999-01-01T08:00:00+01:00'

/** Three users and no notifications, before each test. */
export class NotificationWorld extends AdminWorld {
  user = 0
  /** The second of them receives nothing. */
  others: number[] = []

  constructor() {
    super()
    beforeEach(async () => {
      await this.db.run('TRUNCATE users, notifications, belfry.idempotency_keys CASCADE')
      const rows = await this.db.run<{ id: string }>(
        `INSERT INTO users (name, can_receive_notifications)
         VALUES ('Ada', true), ('Grace', true), ('Nobody', false) RETURNING id`,
      )
      const [user = 0, ...others] = rows.map(({ id }) => Number(id))
      Object.assign(this, { user, others })
      await this.db.changes()
    })
  }

  create(body: object, headers: Record<string, string> = {}): Promise<Answer> {
    return this.ask('POST', PATH, { title: 'Hello', ...body }, headers)
  }

  /** @returns the path of a new one for the user */
  async one(body: object): Promise<string> {
    return `${PATH}/${idOf(await this.create({ user_id: this.user, ...body }))}`
  }

  async count(): Promise<number> {
    const [row] = await this.db.run<{ n: string }>('SELECT count(*) AS n FROM notifications')
    return Number(row?.n)
  }
}

/** Of the first that was created. */
export function idOf({ body }: Answer): number {
  return (body.ids as number[])[0] as number
}

/** Of a page. */
export function idsOf({ body }: Answer): number[] {
  return (body.notifications as { id: number }[]).map(({ id }) => id)
}
