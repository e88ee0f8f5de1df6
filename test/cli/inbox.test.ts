import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inboxTable, notificationView } from '../../client/cli/inbox-view.ts'
import { run } from '../../client/cli/run.ts'
import type { Notification } from '../../protocol/notification.ts'
import { FakeTerminal } from './fake-terminal.ts'
import { type Answered, type Asked, serveWorker } from './small-worker.ts'

const one: Notification = {
  id: 57,
  category: 'orders',
  title: 'Your order was shipped',
  content: { order: 42, text: 'Gears are on their way.' },
  link: '/orders/42',
  delivered_at: '2026-11-21T08:33:55.123456+00:00',
  expires_at: null,
  seen: false,
  read: false,
  archived: false,
}
const counts = { unseen: 1, unread: 3, capped: false }
const page = { notifications: [one], next_cursor: null, counts, position: 'k3v:57' }

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'belfry-inbox-'))
  await mkdir(join(folder, '.belfry'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Elsewhere than in a local run: there is a token, and nobody who signs in. */
async function belfry(
  args: string[],
  answer: (asked: Asked) => Answered = () => ({ body: page }),
  env: Record<string, string> = { BELFRY_TOKEN: 'of-ada' },
) {
  await using worker = await serveWorker(answer)
  const terminal = new FakeTerminal()
  terminal.env = { BELFRY_URL: worker.url, ...env }
  const status = await run(['inbox', ...args], terminal)
  return { status, out: terminal.stdout, err: terminal.stderr, asked: worker.asked }
}

/** In a local run, whose worker and sign-in server are the same here. */
async function local(args: string[], answer: (asked: Asked) => Answered, isThere = true) {
  await using worker = await serveWorker(answer)
  const run_ = { url: worker.url, ...(isThere && { signInUrl: `${worker.url}/sign-in` }) }
  await writeFile(join(folder, '.belfry', 'local.json'), JSON.stringify(run_))
  const terminal = new FakeTerminal()
  terminal.cwd = folder
  const status = await run(['inbox', ...args], terminal)
  return { status, out: terminal.stdout, err: terminal.stderr, asked: worker.asked }
}

describe('whose inbox', () => {
  it.each([[['--user', '3']], [['--user=3', 'list']], [['list', '--user', '3']]])(
    'P90 a local run signs in whom %j names',
    async (args) => {
      const { status, asked } = await local(args, ({ path }) => ({
        body: path === '/sign-in/token' ? { token: 'of-3', expires_at: '' } : page,
      }))
      expect(status).toBe(0)
      expect(asked).toMatchObject([
        { path: '/sign-in/token', query: { user: '3' }, authorization: null },
        { path: '/api/me/notifications', query: {}, authorization: 'Bearer of-3' },
      ])
    },
  )

  it('a user who is not there is said by the local run', async () => {
    const message = 'There is no user 99: `belfry users list` shows who there is.'
    const { status, err, asked } = await local(['--user', '99'], () => ({
      status: 404,
      body: { message },
    }))
    expect({ status, err, asked: asked.length }).toEqual({
      status: 1,
      err: `✗ ${message}\n`,
      asked: 1,
    })
  })

  it('elsewhere it is the token’s', async () => {
    const { status, asked } = await belfry([])
    expect(status).toBe(0)
    expect(asked).toMatchObject([{ authorization: 'Bearer of-ada' }])
  })

  it('elsewhere nobody is signed in, and nothing asked', async () => {
    const named = await belfry(['--user', '3'])
    const nameless = await belfry([], undefined, {})
    const older = await local(['--user', '3'], () => ({ body: page }), false)
    expect(named).toMatchObject({
      status: 2,
      err: expect.stringMatching(/BELFRY_TOKEN/),
      asked: [],
    })
    expect(nameless).toMatchObject({ status: 2, err: expect.stringMatching('BELFRY_TOKEN') })
    expect(older).toMatchObject({ status: 2, asked: [] })
    const unsaid = await local([], () => ({ body: page }))
    expect(unsaid).toMatchObject({ status: 2, err: expect.stringMatching(/--user is missing/) })
  })

  it('a local run’s sign-in server is not asked about another worker', async () => {
    await using other = await serveWorker(() => ({ body: page }))
    await writeFile(
      join(folder, '.belfry', 'local.json'),
      JSON.stringify({ url: 'http://127.0.0.1:1', signInUrl: other.url }),
    )
    const terminal = new FakeTerminal()
    terminal.cwd = folder
    terminal.env = { BELFRY_URL: other.url }
    expect(await run(['inbox', '--user', '3'], terminal)).toBe(2)
    expect(other.asked).toEqual([])
  })
})

describe('inbox list', () => {
  it('shows marks and counts, and passes filters on', async () => {
    const { out, err, asked } = await belfry(
      ['list', '--listing', 'all', '--category', 'orders', '--limit', '2'],
      () => ({ body: { ...page, next_cursor: 'next' } }),
    )
    expect(out).toMatch(/57 {2}unseen {2}2026-11-21 08:33:55 {2}orders {4}Your order was shipped\n/)
    expect(err).toMatch(/^In the inbox: 3 unread, 1 unseen\.\nThere are more: --all/)
    expect(asked[0]?.query).toEqual({ listing: 'all', category: 'orders', limit: '2' })
  })

  it('--all reads every page, --json prints them as they are', async () => {
    const { out, asked } = await belfry(['--all', '--json'], ({ query }) => ({
      body: { ...page, next_cursor: query.cursor ? null : 'next' },
    }))
    expect(JSON.parse(out)).toEqual([one, one])
    expect(asked.map(({ query }) => query)).toEqual([
      { limit: '100' },
      { limit: '100', cursor: 'next' },
    ])
  })

  it('an empty one says so, and a count that was not counted on', async () => {
    const none = { unseen: 0, unread: 0, capped: false }
    const empty = await belfry([], () => ({ body: { ...page, notifications: [], counts: none } }))
    expect(empty).toMatchObject({ status: 0, out: '', err: 'In the inbox: nothing unread.\n' })
    const capped = { unseen: 10_000, unread: 10_000, capped: true }
    const many = await belfry([], () => ({ body: { ...page, counts: capped } }))
    expect(many.err).toBe('In the inbox: 10000 or more unread, 10000 or more unseen.\n')
  })

  it.each([
    [{}, 'unseen'],
    [{ seen: true }, 'unread'],
    [{ seen: true, read: true }, 'read'],
    [{ read: true, archived: true }, 'archived'],
  ])('%j is %s', (marks, word) => {
    expect(inboxTable([{ ...one, ...marks }], new FakeTerminal())).toMatch(` ${word} `)
  })

  it('P93 nothing that it holds can play tricks on the terminal', () => {
    const evil = '\u001b[2Jgone\u202e'
    const all = { ...one, title: evil, category: evil, link: evil, content: { [evil]: evil } }
    const printed =
      inboxTable([all], new FakeTerminal()) + notificationView(all, new FakeTerminal().paint)
    for (const trick of ['\u001b', '\u202e']) expect(printed).not.toContain(trick)
  })

  it('show prints one with its content', async () => {
    const { out, asked } = await belfry(['show', '57'], () => ({
      body: { notification: one },
    }))
    expect(out).toMatch(/Your order was shipped {2}unseen[\s\S]*order +42\n +text +Gears are/)
    expect(asked).toMatchObject([{ path: '/api/me/notifications/57' }])
  })
})

describe('marks', () => {
  const marked = { notifications: [one], counts }

  it.each([
    ['read', { mark: 'read' }],
    ['unread', { mark: 'read', undo: true }],
    ['archive', { mark: 'archived' }],
    ['unarchive', { mark: 'archived', undo: true }],
  ])('%s marks what is named', async (action, body) => {
    const { status, err, asked } = await belfry([action, '57', '57'], () => ({ body: marked }))
    expect({ status, err }).toEqual({ status: 0, err: 'In the inbox: 3 unread, 1 unseen.\n' })
    expect(asked).toMatchObject([
      { method: 'POST', path: '/api/me/notifications/mark', body: { ids: [57], ...body } },
    ])
  })

  it('what is not in the inbox is named, and exit 1', async () => {
    const { status, err } = await belfry(['read', '57', '58', '59'], () => ({ body: marked }))
    expect(status).toBe(1)
    expect(err).toMatch('Not in this inbox: 58, 59.')
  })

  it('more than one request takes go in several', async () => {
    const ids = Array.from({ length: 250 }, (_, index) => String(index + 1))
    const { asked } = await belfry(['read', ...ids], ({ body }) => ({
      body: {
        notifications: (body as { ids: number[] }).ids.map((id) => ({ ...one, id })),
        counts,
      },
    }))
    expect(asked.map(({ body }) => (body as { ids: number[] }).ids.length)).toEqual([100, 100, 50])
  })

  it('open is one request', async () => {
    const { err, asked } = await belfry(['open'], () => ({
      body: { counts: { ...counts, unseen: 0 }, before: null },
    }))
    expect(err).toBe('Opened: 3 unread.\n')
    expect(asked).toMatchObject([{ method: 'POST', path: '/api/me/notifications/open' }])
  })

  it('mark-all says how to take it back, and that command does', async () => {
    const before = '2026-11-20T08:33:55.123456+00:00'
    const answer = ({ path }: Asked): Answered => ({
      body: path.startsWith('/sign-in')
        ? { token: 'of-3' }
        : { counts: { unseen: 0, unread: 0, capped: false }, before, through: before },
    })
    const done = await local(['mark-all', 'read', '--user', '3'], answer)
    expect(done.asked[1]).toMatchObject({
      path: '/api/me/notifications/mark-all',
      body: { mark: 'read' },
    })
    const command = /belfry inbox (.*)\n$/.exec(done.err)?.[1] ?? ''
    const undone = await local(command.split(' '), answer)
    expect(undone.status).toBe(0)
    expect(undone.asked[1]).toMatchObject({
      path: '/api/me/notifications/mark-all/undo',
      body: { mark: 'read', before },
    })
  })

  it.each([
    [['read'], /the id is missing/],
    [['read', 'x'], /the id takes a whole number/],
    [['mark-all'], /the mark is missing/],
    [['mark-all', 'raed'], /"raed" is no mark \(did you mean "read"\?\)/],
    [['mark-all', 'read', '--before', 'x'], /give both/],
    [['wach'], /did you mean "watch"/],
    [['--usr', '3'], /did you mean "--user"/],
    [['--user'], /--user needs a value/],
    [['list', 'x'], /one word too many/],
    [['list', '--all', '--limit', '3'], /give one of them/],
  ])('inbox %j is a sentence and exit 2', async (args, sentence) => {
    const { status, err, asked } = await belfry(args)
    expect({ status, asked }).toEqual({ status: 2, asked: [] })
    expect(err).toMatch(sentence)
  })
})
