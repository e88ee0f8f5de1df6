import { describe, expect, it } from 'vitest'
import type { Endpoint } from '../../worker/webhooks/endpoint.ts'
import { EndpointsWorld, filled, warehouse } from './endpoints-world.ts'

const world = new EndpointsWorld()
const { db } = world
const ask = world.ask.bind(world)

describe('what is written of an endpoint', () => {
  it('P99 a tag names the endpoint and its rules; what has moved on is refused', async () => {
    const made = await ask('POST', '', warehouse)
    const path = `/${made.body.id}`
    const change = (body: object, tag: string | null) =>
      ask('PATCH', path, body, { 'if-match': String(tag) })
    const described = await change({ description: 'moved' }, made.tag)
    expect(described).toMatchObject({ status: 200, body: { version: 2 } })
    const ruled = await change({ rules: [{ table: 'orders' }] }, described.tag)
    expect(ruled).toMatchObject({ status: 200, body: { version: 2 } })
    expect(ruled.tag).not.toBe(described.tag)
    world.told = []
    for (const stale of [made.tag, described.tag])
      expect(await change({ rules: [filled] }, stale)).toMatchObject({
        status: 412,
        tag: ruled.tag,
      })
    const remove = (tag: string | null) =>
      ask('DELETE', path, undefined, { 'if-match': String(tag) })
    expect(await remove(described.tag)).toMatchObject({ status: 412 })
    expect(world.told).toEqual([])
    expect((await ask('GET', path)).tag).toBe(ruled.tag)
    expect(await remove(ruled.tag)).toMatchObject({ status: 204 })
  })

  it('P100 the same registration again is answered without the secret, and leaves no object', async () => {
    const headers = { 'idempotency-key': 'warehouse' }
    const first = await ask('POST', '', warehouse, headers)
    expect(first.body).toHaveProperty('secret')
    world.told = []
    const again = await ask('POST', '', warehouse, headers)
    expect(again).toMatchObject({ status: 201, location: first.location, tag: first.tag })
    expect(again.body).toMatchObject({ id: first.body.id })
    expect(again.body).not.toHaveProperty('secret')
    const [registered, forgotten] = world.told as [{ register: Endpoint }, { forget: string }]
    expect(forgotten).toEqual({ forget: registered.register.id })
    expect(registered.register.id).not.toBe(first.body.id)
    await ask('DELETE', `/${first.body.id}`)
    expect(await ask('POST', '', warehouse, headers)).toMatchObject({ status: 409 })
  })

  it('P104 says who registered it, with which rules, and who rotated its secret', async () => {
    const { body } = await ask('POST', '', warehouse, { 'asked-by': 'key:7' })
    await ask('POST', `/${body.id}/rotate-secret`, undefined, { 'asked-by': 'key:8' })
    const audit = await db.run(
      `SELECT principal, action, "table" FROM belfry.audit a
        WHERE a.key = $1 OR a.changed #>> '{endpoint,1}' = $1 ORDER BY id`,
      [body.id],
    )
    expect(audit).toEqual([
      { principal: 'key:7', action: 'insert', table: 'webhook_endpoints' },
      { principal: 'key:7', action: 'insert', table: 'rules' },
      { principal: 'key:8', action: 'rotate_secret', table: 'webhook_endpoints' },
    ])
  })
})
