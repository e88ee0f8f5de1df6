import { describe, expect, it, test } from 'vitest'
import { idOf, idsOf, LATER, NotificationWorld, PATH } from './notification-world.ts'

const world = new NotificationWorld()
const { db } = world
const ask = world.ask.bind(world)
const create = world.create.bind(world)
const one = world.one.bind(world)

describe('P89: what could not be delivered', () => {
  const park = (ids: number[]) =>
    db.run(
      "UPDATE notifications SET state = 'parked', problem = 'A trigger.' WHERE id = ANY ($1)",
      [ids],
    )
  const refusing = async (work: () => Promise<void>) => {
    await db.run(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                  $$ BEGIN RAISE EXCEPTION 'not this one'; END $$`)
    await db.run(`CREATE TRIGGER refuse BEFORE UPDATE ON notifications FOR EACH ROW
                  WHEN (NEW.title = 'Bad') EXECUTE FUNCTION refuse()`)
    await work()
    await db.run('DROP FUNCTION refuse CASCADE')
  }

  it('is listed with its reason, and one is delivered when it is redriven', async () => {
    const path = await one({ scheduled_at: LATER })
    const id = Number(path.split('/').at(-1))
    await db.run(
      "UPDATE notifications SET scheduled_at = now() - interval '1 minute', state = 'parked', problem = 'A trigger.'",
    )
    const parked = await ask('GET', `${PATH}?state=parked`)
    expect(parked.body.notifications).toMatchObject([
      { id, state: 'parked', problem: 'A trigger.' },
    ])
    world.told = []
    expect(await ask('POST', `${path}/redrive`)).toMatchObject({
      status: 200,
      body: { state: 'delivered', problem: null },
    })
    expect(world.told).toMatchObject([{ notifications: [{ id, state: 'delivered' }] }])
  })

  it('all that a filter names is counted, then redriven, but for what is refused again', async () => {
    const ids: number[] = []
    for (const title of ['A', 'Bad', 'B', 'C', 'Bad', 'D'])
      ids.push(
        idOf(await create({ user_id: world.user, title, category: 'x', scheduled_at: LATER })),
      )
    await park(ids)
    await db.run("UPDATE notifications SET scheduled_at = NULL WHERE title <> 'D'")
    const cancelled = await one({ scheduled_at: LATER, category: 'x' })
    await ask('POST', `${cancelled}/cancel`)
    const redrive = (body: object) => ask('POST', `${PATH}/redrive`, body)
    const filter = { category: 'x', user: world.user }
    expect((await redrive({ filter, dry_run: true })).body).toEqual({ matching: 6 })
    expect((await redrive({ filter: { category: 'y' } })).body).toMatchObject({ redriven: 0 })
    await refusing(async () => {
      expect((await redrive({ filter })).body).toMatchObject({
        redriven: 4,
        refused: 2,
        refusals: [{ id: ids[1], message: expect.stringContaining('trigger') }, { id: ids[4] }],
      })
      expect(await ask('POST', `${PATH}/${ids[1]}/redrive`)).toMatchObject({
        status: 422,
        body: { code: 'unprocessable', detail: expect.stringContaining('redrive it again') },
      })
    })
    expect(idsOf(await ask('GET', `${PATH}?state=delivered`))).toEqual([ids[3], ids[2], ids[0]])
    expect(idsOf(await ask('GET', `${PATH}?state=scheduled`))).toEqual([ids[5]])
    expect(idsOf(await ask('GET', `${PATH}?state=parked`))).toEqual([ids[4], ids[1]])
    expect((await redrive({ filter: {}, all: true })).body).toMatchObject({
      redriven: 2,
      refused: 0,
    })
    expect((await redrive({ filter: { state: ['cancelled'] } })).body).toMatchObject({
      redriven: 1,
    })
  })

  it('more than a page of them are redriven, and the feed tells of those', async () => {
    await db.run(
      "INSERT INTO notifications (user_id, title, state) SELECT $1, 'Many', 'parked' FROM generate_series(1, 1010)",
      [world.user],
    )
    expect(
      (await ask('POST', `${PATH}/redrive`, { filter: { user: world.user } })).body,
    ).toMatchObject({
      redriven: 1_010,
    })
    expect(await ask('GET', `${PATH}?state=parked`)).toMatchObject({ body: { notifications: [] } })
    expect(world.told).toEqual([])
  })

  it('one that is overdue is listed and redriven', async () => {
    const path = await one({ scheduled_at: LATER })
    await db.run('ALTER TABLE notifications DISABLE TRIGGER notifications_plan')
    await db.run(
      "UPDATE notifications SET deliver_at = now() - interval '31 seconds', scheduled_at = NULL",
    )
    await db.run('ALTER TABLE notifications ENABLE TRIGGER notifications_plan')
    expect(idsOf(await ask('GET', `${PATH}?state=overdue`))).toHaveLength(1)
    expect((await ask('POST', `${path}/redrive`)).body.state).toBe('delivered')
  })

  it('one that waits for its time is not redriven', async () => {
    const path = await one({ scheduled_at: LATER })
    expect(await ask('POST', `${path}/redrive`)).toMatchObject({
      status: 409,
      body: { code: 'wrong_state', detail: expect.stringContaining('scheduled and not late') },
    })
  })

  it('one that is declined is declined again, until its user wants it', async () => {
    const path = `${PATH}/${idOf(await create({ user_id: world.others[1] }))}`
    expect((await ask('POST', `${path}/redrive`)).body).toMatchObject({ state: 'declined' })
    await db.run('UPDATE users SET can_receive_notifications = true')
    expect((await ask('POST', `${path}/redrive`)).body).toMatchObject({ state: 'delivered' })
  })
})

describe('/api/notification-categories', () => {
  const CATEGORIES = '/api/notification-categories'

  test('P85 a category that is critical is not declined', async () => {
    const path = `${CATEGORIES}/security`
    const said = { description: 'Sign-ins', critical: true }
    expect(await ask('PUT', path, said)).toMatchObject({
      status: 200,
      body: { name: 'security', ...said },
    })
    await db.run(`INSERT INTO preferences VALUES (${world.user}, 'security', 'inbox', false)`)
    const told = await ask('GET', await one({ category: 'security' }))
    expect(told.body).toMatchObject({ state: 'delivered', channels: { inbox: true } })
    expect((await ask('PUT', path, {})).body).toEqual({
      ...{ name: 'security', description: '', critical: false, version: 2 },
    })
    expect((await ask('GET', CATEGORIES)).body).toEqual({
      categories: [{ name: 'security', description: '', critical: false, version: 2 }],
    })
    expect((await ask('DELETE', path)).status).toBe(204)
    expect(await ask('DELETE', path)).toMatchObject({ status: 404 })
  })
})
