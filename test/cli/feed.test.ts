import { describe, expect, it } from 'vitest'
import { run } from '../../client/cli/run.ts'
import { FakeTerminal } from './fake-terminal.ts'
import { serveWorker } from './small-worker.ts'

async function belfry(args: string[], env: Record<string, string>) {
  await using worker = await serveWorker(() => ({ body: { epoch: 'k3v' } }))
  const terminal = new FakeTerminal()
  terminal.env = { BELFRY_URL: worker.url, ...env }
  const status = await run(['feed', ...args], terminal)
  return { status, out: terminal.stdout, err: terminal.stderr, asked: worker.asked }
}

describe('feed reset', () => {
  it('begins a new epoch with the admin token', async () => {
    const { status, out, asked } = await belfry(['reset', '--yes'], {
      BELFRY_ADMIN_TOKEN: 'secret',
    })
    expect({ status, out }).toEqual({ status: 0, out: 'A new epoch has begun: k3v.\n' })
    expect(asked).toMatchObject([
      { method: 'POST', path: '/api/admin/feed/epoch', authorization: 'Bearer secret' },
    ])
  })

  it('asks nothing of the worker without --yes or without a token', async () => {
    const unsure = await belfry(['reset'], { BELFRY_ADMIN_TOKEN: 'secret' })
    expect(unsure).toMatchObject({ status: 2, asked: [], err: expect.stringContaining('--yes') })
    const nobody = await belfry(['reset', '--yes'], {})
    expect(nobody).toMatchObject({
      status: 1,
      asked: [],
      err: expect.stringContaining('BELFRY_ADMIN_TOKEN'),
    })
  })
})
