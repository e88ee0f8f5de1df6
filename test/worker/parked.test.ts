import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MAX_ATTEMPTS } from '../../worker/feed/consumer.ts'
import { bindings, openLink, operator, orderChange, orderRow, startAfresh } from './link.ts'
import { DEADLINE_MS, worker } from './subscriber.ts'
import { summaryIn } from './summary-in.ts'

beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => undefined))
afterEach(async () => {
  vi.restoreAllMocks()
  await startAfresh()
})

const feed = () => bindings.FEED.getByName('main')
const mailer = () => bindings.MAILER.getByName('main')

type Parked = {
  consumer: string
  position: string
  attempts: number
  error: string
  at: string
  change: { id: string; offset: number; op: string }
}
type Answer = {
  parked: Parked[]
  next_cursor: string | null
  outcome?: string
  attempts?: number
  error?: string
  code?: string
  detail?: string
}

async function ask(path: string, method = 'GET') {
  const response = await worker.fetch(`http://belfry.test/api/admin/parked${path}`, {
    method,
    headers: operator,
  })
  const text = await response.text()
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Answer }
}

/** A change of which the mail consumer cannot know whether it owes a mail. */
const poison = () => orderChange({ new: null, oversize: true })

async function mailReport() {
  return (await feed().status()).consumers.find(({ name }) => name === 'mail')
}

/** As if the backoff were over. @returns how the consumer of mails then stands */
async function ring() {
  await runInDurableObject(feed(), (_, { storage }) => {
    storage.sql.exec('UPDATE consumers SET retry_at = 1 WHERE attempts > 0')
  })
  await runDurableObjectAlarm(feed())
  return mailReport()
}

/** Delivers poison and lets the consumer give it up, after every attempt it makes. */
async function park(count = 1, term = 1): Promise<void> {
  const link = await openLink(term)
  const before = (await mailReport())?.parked ?? 0
  for (let delivered = 1; delivered <= count; delivered++) {
    await link.deliver([poison()])
    await expect.poll(async () => (await mailReport())?.error).toBeTruthy()
    // While the feed's own alarm rings, there is none to be rung here: that round is lost.
    await expect
      .poll(ring, { interval: 10, timeout: DEADLINE_MS })
      .toMatchObject({ behind: 0, error: null, parked: before + delivered })
  }
}

/** As if what the consumer failed on had been put right. */
async function mend(): Promise<void> {
  await runInDurableObject(feed(), (_, { storage }) => {
    const row = { ...orderRow('filled'), customer_email: 'ada@belfry.test' }
    storage.sql.exec(
      `UPDATE parked_changes SET change = json_remove(json_set(change, '$.new', json(?)), '$.oversize')`,
      JSON.stringify(row),
    )
  })
}

describe('what was given up', () => {
  it('P41 is listed with its error, its attempts, its time and the change, after eviction too', async () => {
    await park()
    await evictDurableObject(feed())
    const { epoch } = await feed().status()
    expect(await ask('')).toEqual({
      status: 200,
      body: {
        parked: [
          {
            consumer: 'mail',
            position: `${epoch}:1`,
            attempts: MAX_ATTEMPTS,
            error: expect.stringMatching(/too large to travel/),
            at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
            change: expect.objectContaining({ offset: 1, table: 'orders', oversize: true }),
          },
        ],
        next_cursor: null,
      },
    })
    expect((await ask('?consumer=mail')).body.parked).toHaveLength(1)
    expect((await ask('?consumer=inbox')).body.parked).toEqual([])
  })

  it('is listed in pages, newest first, each once', async () => {
    await park(5)
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page = await ask(`?limit=2${cursor ? `&cursor=${cursor}` : ''}`)
      seen.push(...page.body.parked.map(({ position }) => position.split(':')[1] as string))
      cursor = page.body.next_cursor
      await evictDurableObject(feed())
    } while (cursor !== null)
    expect(seen).toEqual(['5', '4', '3', '2', '1'])
  })

  it('large changes make a page shorter, never empty', async () => {
    await park(3)
    await runInDurableObject(feed(), (_, { storage }) => {
      storage.sql.exec(
        `UPDATE parked_changes SET change = json_set(change, '$.note', hex(zeroblob(450000)))`,
      )
    })
    const first = await ask('?limit=50')
    expect(first.body.parked).toHaveLength(1)
    expect((await ask(`?cursor=${first.body.next_cursor}`)).body.parked).toHaveLength(1)
  })

  it('P41 stays what it is when a new epoch gives its offset again', async () => {
    await park()
    await feed().beginLife()
    await park(1, 2)
    const { parked } = (await ask('')).body
    const positions = parked.map(({ position }) => position)
    expect(positions).toHaveLength(2)
    expect(new Set(positions).size).toBe(2)
    expect(parked.map(({ change }) => change.offset)).toEqual([1, 1])
    // The offset alone is of the current epoch.
    expect(await ask('/mail/1', 'DELETE')).toMatchObject({ status: 204 })
    expect((await ask('')).body.parked.map(({ position }) => position)).toEqual([positions[1]])
  })

  it('P41 is kept from the time when a place was an offset alone', async () => {
    await park()
    await runInDurableObject(feed(), (_, { storage }) => {
      storage.sql.exec(`
        CREATE TABLE parked (consumer TEXT NOT NULL, "offset" INTEGER NOT NULL, error TEXT NOT NULL,
          at INTEGER NOT NULL, change TEXT NOT NULL, PRIMARY KEY (consumer, "offset")) WITHOUT ROWID;
        INSERT INTO parked SELECT consumer, "offset", error, at, change FROM parked_changes;
        DROP TABLE parked_changes`)
    })
    await evictDurableObject(feed())
    const { epoch } = await feed().status()
    expect((await ask('')).body.parked).toMatchObject([
      { consumer: 'mail', position: `${epoch}:1`, attempts: MAX_ATTEMPTS },
    ])
  })
})

describe('redrive', () => {
  it('P41 P51 hands it over again, says what came of it, and forgets what was handled', async () => {
    await park()
    const [{ position } = { position: '' }] = (await ask('')).body.parked
    expect(await ask(`/mail/${position}/redrive`, 'POST')).toMatchObject({
      status: 200,
      body: { outcome: 'failed', attempts: MAX_ATTEMPTS + 1, error: expect.any(String) },
    })
    await evictDurableObject(feed())
    expect((await ask('')).body.parked).toMatchObject([{ attempts: MAX_ATTEMPTS + 1 }])
    await mend()
    expect(await ask(`/mail/${position}/redrive`, 'POST')).toEqual({
      status: 200,
      body: { outcome: 'handled' },
    })
    expect((await ask('')).body.parked).toEqual([])
    expect(await summaryIn(mailer())).toMatchObject({ queued: 2 })
    expect(await mailReport()).toMatchObject({ parked: 0, offset: 1 })
  })

  it('P51 by two people at once, and beside the alarm, owes each mail once', async () => {
    await park()
    await mend()
    const redriven = await Promise.all([
      ask('/mail/1/redrive', 'POST'),
      runDurableObjectAlarm(feed()),
      ask('/mail/1/redrive', 'POST'),
    ])
    expect(redriven[0].body.outcome).toBe('handled')
    expect([200, 404]).toContain(redriven[2].status)
    expect(await summaryIn(mailer())).toMatchObject({ queued: 2 })
    expect((await ask('/mail/1/redrive', 'POST')).status).toBe(404)
  })

  it('what is dropped while it is handed over again does not come back', async () => {
    await park()
    let dropped: Promise<unknown> = Promise.resolve()
    const { Consumers } = await import('../../worker/feed/consumers.ts')
    const redrive = Consumers.prototype.redrive
    vi.spyOn(Consumers.prototype, 'redrive').mockImplementation(function (this: Consumers_, ...at) {
      const redriven = redrive.apply(this, at)
      dropped = Promise.resolve(this.parked.remove(...at))
      return redriven
    })
    expect((await ask('/mail/1/redrive', 'POST')).body.outcome).toBe('failed')
    await dropped
    expect((await ask('')).body.parked).toEqual([])
  })
})
type Consumers_ = InstanceType<typeof import('../../worker/feed/consumers.ts').Consumers>

describe('drop', () => {
  it('forgets one for good, and only that', async () => {
    await park(2)
    expect(await ask('/mail/1', 'DELETE')).toEqual({ status: 204, body: {} })
    await evictDurableObject(feed())
    expect((await ask('')).body.parked.map(({ change }) => change.offset)).toEqual([2])
    expect(await ask('/mail/1', 'DELETE')).toMatchObject({
      status: 404,
      body: { code: 'not_found', detail: expect.stringMatching(/mail is parked at 1\./) },
    })
    expect(await mailReport()).toMatchObject({ parked: 1 })
  })
})

describe('bad input', () => {
  it.each([
    ['GET', ''],
    ['POST', '/mail/1/redrive'],
    ['DELETE', '/mail/1'],
  ])('P60 %s %s without the token is refused', async (method, path) => {
    const response = await worker.fetch(`http://belfry.test/api/admin/parked${path}`, { method })
    expect(response.status).toBe(401)
  })

  it.each([
    ['GET', '?limit=0', 400, 'invalid_query'],
    ['GET', '?limit=201', 400, 'invalid_query'],
    ['GET', `?consumer=${'x'.repeat(101)}`, 400, 'invalid_query'],
    ['GET', '?consumre=mail', 400, 'invalid_query'],
    ['GET', '?cursor=', 400, 'invalid_cursor'],
    ['GET', '?cursor=-1', 400, 'invalid_cursor'],
    ['GET', `?cursor=${'9'.repeat(16)}`, 400, 'invalid_cursor'],
    ['POST', '/mail/x/redrive', 400, 'invalid_position'],
    ['POST', '/mail/-1/redrive', 400, 'invalid_position'],
    ['POST', `/mail/${'9'.repeat(16)}/redrive`, 400, 'invalid_position'],
    ['POST', '/mail/1/redrive', 404, 'not_found'],
    ['POST', '/nobody/1/redrive', 404, 'not_found'],
    ['DELETE', '/mail/another:1', 404, 'not_found'],
    ['DELETE', "/mail/1'%20OR%201=1", 400, 'invalid_position'],
  ])('P60 %s %s is a problem', async (method, path, status, code) => {
    expect(await ask(path, method)).toMatchObject({ status, body: { code } })
  })
})
