import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { begin, withTen } from './inbox-begun.ts'

describe('marks', () => {
  it('show at once, with the counts, and stay when they are told of', async () => {
    const { server, inbox, settled } = await begin({}, withTen())
    inbox.mark(10, 'read')
    expect([inbox.list()[0]?.read, inbox.counts.unread]).toEqual([true, 9])
    await settled()
    expect([inbox.list()[0]?.read, inbox.counts.unread]).toEqual([true, 9])
    expect(server.list('unread')).toHaveLength(9)
  })

  it('that are refused are taken back, with a sentence', async () => {
    const { server, inbox } = await begin({}, withTen())
    server.refusal = { status: 503, title: 'The database cannot be reached', detail: 'Wait.' }
    const { done } = inbox.mark(10, 'archived')
    expect(inbox.list()).toHaveLength(9)
    await expect(done).rejects.toThrow('The database cannot be reached: Wait.')
    expect([inbox.list().length, inbox.counts.unread]).toEqual([10, 10])
  })

  it('are kept in the order of asking', async () => {
    const { server, inbox, settled } = await begin({}, withTen())
    server.isSlow = true
    const { undo } = inbox.mark(10, 'read')
    void undo()
    inbox.mark(9, 'read')
    await setImmediate()
    expect(server.coming).toHaveLength(1)
    server.isSlow = false
    for (const go of server.coming.splice(0)) go()
    await settled()
    expect(server.list('unread').map(({ id }) => id)).toEqual([10, 8, 7, 6, 5, 4, 3, 2, 1])
    expect(
      inbox
        .list('active')
        .filter(({ read }) => read)
        .map(({ id }) => id),
    ).toEqual([9])
  })

  it('of all are undone with what was before, and spare what nobody has seen', async () => {
    const { server, inbox, settled } = await begin({ pageSize: 3 }, withTen())
    server.mark(8, 'read', true)
    await settled()
    server.isSlow = true
    const marking = inbox.markAll('read')
    expect(inbox.counts.unread).toBe(0)
    server.deliver('11')
    server.isSlow = false
    for (const go of [...server.said.splice(0), ...server.coming.splice(0)]) go()
    await marking.done
    await settled()
    expect(inbox.counts).toEqual({ unseen: 11, unread: 1, capped: false })
    await marking.undo()
    await settled()
    expect(inbox.counts.unread).toBe(10)
    expect(inbox.list().map(({ read }) => read)).toEqual([false, false, false])
  })

  it('a list that is opened has nothing unseen, at once', async () => {
    const { inbox, settled } = await begin({}, withTen())
    inbox.open()
    expect(inbox.counts.unseen).toBe(0)
    await settled()
    expect(inbox.counts).toEqual({ unseen: 0, unread: 10, capped: false })
  })

  it('a list that is opened again and again is written twice: now, and when that is done', async () => {
    const { server, inbox, settled } = await begin({}, withTen())
    server.isSlow = true
    const first = inbox.open()
    await setImmediate()
    server.deliver('11')
    for (const say of server.said.splice(0)) say()
    const others = Array.from({ length: 100 }, () => inbox.open())
    expect([new Set(others).size, others.includes(first), inbox.counts.unseen]).toEqual([
      1,
      false,
      0,
    ])
    server.isSlow = false
    for (const go of server.coming.splice(0)) go()
    await settled()
    expect(server.asked.filter((asked) => asked.endsWith('open'))).toHaveLength(2)
    expect(server.counts.unseen).toBe(0)
  })

  it('P82 of another page decide if they come after ours', async () => {
    const { server, inbox, settled } = await begin({}, withTen())
    server.isSlow = true
    inbox.mark(10, 'read')
    await setImmediate()
    for (const go of server.coming.splice(0)) go()
    await setImmediate()
    server.mark(10, 'read', false)
    // Both are told of before our answer is there.
    for (const say of server.said.splice(0)) say()
    server.isSlow = false
    for (const go of server.going.splice(0)) go()
    await settled()
    expect([inbox.list()[0]?.read, inbox.counts.unread]).toEqual([false, 10])
  })
})
