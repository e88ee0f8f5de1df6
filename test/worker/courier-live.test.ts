import { evictDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { closeCodes } from '../../protocol/close-codes.ts'
import type { Principal } from '../../worker/doors/principal.ts'
import { PRINCIPAL_HEADER, writePrincipal } from '../../worker/doors/session.ts'
import { configure, eventually, mailerAtRest, owed, ResendStandIn, step } from './mail-world.ts'

beforeEach(() => {
  configure()
  new ResendStandIn()
})
afterEach(() => {
  vi.restoreAllMocks()
})

const admin: Principal = {
  name: 'operator',
  kind: 'operator',
  user: null,
  scopes: ['admin'],
  expiresAt: null,
  issuedAt: null,
}

type Stub = Awaited<ReturnType<typeof mailerAtRest>>

async function watch(mailer: Stub, asking: Partial<Principal> = {}) {
  const headers = {
    upgrade: 'websocket',
    [PRINCIPAL_HEADER]: writePrincipal({ ...admin, ...asking }),
  }
  const response = await mailer.fetch('https://mailer/live', { headers })
  const socket = response.webSocket
  if (!socket) throw new Error(`no socket: ${response.status}`)
  const heard: string[] = []
  let closedWith: number | null = null
  socket.addEventListener('message', ({ data }) => void heard.push(String(data)))
  socket.addEventListener('close', ({ code }) => {
    closedWith = code
  })
  socket.accept()
  return { socket, heard, closedWith: () => closedWith }
}

describe('who watches a courier', () => {
  test('is told at once how things stand, and whenever something moved, also after it slept', async () => {
    const mailer = await mailerAtRest('watched')
    await mailer.enqueue([owed(1)])
    const { heard, socket } = await watch(mailer)
    await eventually(() => expect(heard).toHaveLength(1))
    const first = JSON.parse(heard[0] ?? '')
    expect(first).toMatchObject({ type: 'moved', counts: { queued: 1, sent: 0, parked: 0 } })
    await step(mailer)
    await eventually(() =>
      expect(JSON.parse(heard.at(-1) ?? '')).toMatchObject({ counts: { queued: 0, sent: 1 } }),
    )
    await evictDurableObject(mailer)
    await mailer.enqueue([owed(2)])
    await eventually(() =>
      expect(JSON.parse(heard.at(-1) ?? '')).toMatchObject({ counts: { queued: 1, sent: 1 } }),
    )
    socket.close()
  })

  test('is told of a flood at most four times a second', async () => {
    const mailer = await mailerAtRest('flood')
    const { heard, socket } = await watch(mailer)
    const began = Date.now()
    for (let change = 1; change <= 200; change++) await mailer.enqueue([owed(change)])
    await eventually(() =>
      expect(JSON.parse(heard.at(-1) ?? '')).toMatchObject({ counts: { queued: 200 } }),
    )
    expect(heard.length).toBeLessThanOrEqual(3 + (Date.now() - began) / 250)
    socket.close()
  })

  test('P60: may say "ping"; any other frame closes its socket, and nobody else’s', async () => {
    const mailer = await mailerAtRest('frames')
    const [polite, rude] = [await watch(mailer), await watch(mailer)]
    polite.socket.send('ping')
    await eventually(() => expect(polite.heard).toContain('pong'))
    rude.socket.send('x'.repeat(1_000_000))
    await eventually(() => expect(rude.closedWith()).toBe(closeCodes.bad_frame.code))
    await mailer.enqueue([owed(1)])
    await eventually(() => expect(polite.heard.at(-1)).toContain('"queued":1'))
    polite.socket.close()
  })

  test('P60: without an upgrade is told what this address speaks', async () => {
    const mailer = await mailerAtRest('no upgrade')
    expect((await mailer.fetch('https://mailer/live')).status).toBe(426)
  })
})
