import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DemoOrder, nextMove } from '../../dev/demo-orders.ts'
import { readOptions } from '../../dev/options.ts'
import { restartDelayMs } from '../../dev/restart.ts'
import { keptSecrets } from '../../dev/state-files.ts'
import { workerVariables } from '../../dev/worker-variables.ts'
import { statuses } from '../../drizzle/schema.ts'

describe('restarting a child', () => {
  it('waits half a second after a long life, and up to five seconds after short ones', () => {
    let shortLives = 0
    const waits = Array.from({ length: 6 }, () => {
      const delay = restartDelayMs(100, shortLives)
      shortLives = delay.shortLives
      return delay.ms
    })
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000])
    expect(restartDelayMs(60_000, shortLives).ms).toBe(500)
  })
})

describe('the secrets of a local run', () => {
  it('stay as an earlier version made them; what it lacked is made once', () => {
    const folder = mkdtempSync(join(tmpdir(), 'belfry-secrets-'))
    const old = { linkSecret: 'a link secret', adminToken: 'a token' }
    writeFileSync(join(folder, 'secrets.json'), JSON.stringify(old))
    const secrets = keptSecrets(folder)
    expect(secrets).toMatchObject(old)
    expect(secrets.resendWebhookSecret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(secrets.authSecret).toMatch(/^[\w-]{43}$/)
    expect(keptSecrets(folder)).toEqual(secrets)
    writeFileSync(join(folder, 'secrets.json'), '{"linkSecret": 1}')
    expect(() => keptSecrets(folder)).toThrow('Delete it')
    rmSync(folder, { recursive: true })
  })
})

describe('the environment of npm start', () => {
  const real = { RESEND_API_KEY: 're_1', MAIL_FROM: 'a@belfry.test', ALERT_RECIPIENTS: 'b@c.test' }

  it('brings the address of a tunnel, and the secret of Resend’s webhook through it', () => {
    const given = { ...real, PUBLIC_URL: 'https://t.test/', RESEND_WEBHOOK_SECRET: 'whsec_eA==' }
    expect(readOptions([], given)).toMatchObject({
      publicUrl: 'https://t.test',
      mail: { kind: 'resend', webhookSecret: 'whsec_eA==' },
    })
    expect(readOptions([], real)).toMatchObject({ publicUrl: null, mail: { webhookSecret: null } })
  })

  it.each(['t.test', 'ftp://t.test', 'https://t.test?a=1'])(
    'refuses PUBLIC_URL=%s in words',
    (url) => {
      expect(() => readOptions([], { PUBLIC_URL: url })).toThrow('must be an address like')
    },
  )
})

describe('the doors of a local run', () => {
  it('P94 are as in production unless somebody opens them', () => {
    expect(readOptions([], {})).toMatchObject({ doors: {} })
    const given = { ALLOWED_ORIGINS: 'http://localhost:5173', ANONYMOUS_SCOPES: '' }
    expect(readOptions([], given)).toMatchObject({
      doors: { ALLOWED_ORIGINS: 'http://localhost:5173' },
    })
  })

  it('no variable of the worker comes from the shell by accident', () => {
    const env = readFileSync(new URL('../../worker/env.ts', import.meta.url), 'utf8')
    const names = [...env.matchAll(/^ {2}([A-Z_]+)\??: string$/gm)].map(([, name]) => name)
    expect([...workerVariables].toSorted()).toEqual(names.toSorted())
  })
})

describe('the demo', () => {
  it('keeps the table at about forty rows, and moves orders only to known statuses', () => {
    fc.assert(
      fc.property(
        fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
        (chances) => {
          const random = () => chances.next().value as number
          let orders: DemoOrder[] = []
          for (let id = 0; id < 1_000; id++) {
            const move = nextMove(orders, random)
            if (move.kind === 'place') {
              expect(move.amount).toBeGreaterThan(0)
              orders.push({ id: String(id), status: 'pending', amount: move.amount })
            } else if (move.kind === 'forget')
              orders = orders.filter((order) => order.id !== move.id)
            else {
              const order = orders.find((order) => order.id === move.id)
              if (!order) throw new Error(`the demo moved an order that is not there: ${move.id}`)
              if (move.kind === 'advance') order.status = move.status
              else order.amount = move.amount
            }
          }
          expect(statuses).toEqual(expect.arrayContaining(orders.map(({ status }) => status)))
          expect(orders.length).toBeLessThan(90)
        },
      ),
      { numRuns: 20 },
    )
  })
})
