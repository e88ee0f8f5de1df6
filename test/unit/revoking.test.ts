import { expect, it, vi } from 'vitest'
import { tellOfCut } from '../../worker/feed/revoking.ts'

const SINCE = { sinceMs: 1 }

/** Objects that write down what they are told; those in `broken` fail. */
function objects(...broken: string[]) {
  const told: string[] = []
  const namespace = (kind: string) => ({
    getByName: (name: string) => ({
      cut: async ({ principal }: { principal: string }) => {
        if (broken.includes(`${kind} ${name}`)) throw new Error('it is being moved')
        told.push(`${kind} ${name}: ${principal}`)
      },
    }),
  })
  const env = {
    SHARD: namespace('shard'),
    MAILER: namespace('mailer'),
    INBOX: namespace('inbox'),
  }
  return { told, env }
}

it('P96 what is revoked is told to each shard that holds sockets, to the mailer, and to the user’s inbox', async () => {
  const { told, env } = objects()
  await tellOfCut(env, ['weur-0', 'enam-0'], { principal: 'user:7', ...SINCE })
  await tellOfCut(env, [], { principal: 'token:7', ...SINCE })
  await tellOfCut(env, [], { principal: 'user:x', ...SINCE })
  expect(told).toEqual([
    'shard weur-0: user:7',
    'shard enam-0: user:7',
    'mailer main: user:7',
    'inbox 7: user:7',
    'mailer main: token:7',
    'mailer main: user:x',
  ])
})

it('P96 one that cannot be told keeps it from none of the others', async () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  const { told, env } = objects('shard weur-0', 'mailer main')
  await tellOfCut(env, ['weur-0', 'enam-0'], { principal: 'user:7', ...SINCE })
  expect(told).toEqual(['shard enam-0: user:7', 'inbox 7: user:7'])
  expect(warn).toHaveBeenCalledTimes(2)
  warn.mockRestore()
})
