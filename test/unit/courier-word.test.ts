import { describe, expect, test } from 'vitest'
import { redriven } from '../../worker/courier/by-hand.ts'
import { readHistory } from '../../worker/courier/history.ts'
import type { Row } from '../../worker/courier/row.ts'
import { told, toldOfEarlier, type Word, words } from '../../worker/courier/word.ts'
import { NOW, waiting } from './courier-row.ts'

const sent = waiting({ state: 'sent', next_at: null, sent_at: NOW, provider_id: 're_1' })

function hear(row: Row, heard: readonly Word[]): Row {
  return heard.reduce((before, word) => {
    const at = NOW + words.indexOf(word) * 1_000
    return told(before, { id: word, word, at, providerId: 're_1', detail: null }, NOW)
  }, row)
}

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, index) =>
    permutations(items.filter((_, other) => other !== index)).map((rest) => [item, ...rest]),
  )
}

describe('P56: the provider’s word', () => {
  const sets: [Word[], Row['state']][] = [
    [['sent', 'delivered'], 'delivered'],
    [['sent', 'delayed', 'delivered', 'opened'], 'delivered'],
    [['sent', 'delivered', 'bounced'], 'bounced'],
    [['sent', 'delivered', 'bounced', 'complained'], 'complained'],
    [['sent', 'failed'], 'parked'],
    [['sent', 'suppressed'], 'suppressed'],
    [['failed', 'suppressed', 'delivered'], 'delivered'],
    [[...words].slice(0, 5), 'delivered'],
  ]
  const starts: [string, Row][] = [
    ['sent', sent],
    ['being sent', waiting({ state: 'sending', next_at: null, doubt_since: NOW, payload: 'P' })],
    ['in doubt', waiting({ state: 'failed', doubt_since: NOW, payload: 'P' })],
    ['given up', waiting({ state: 'parked', next_at: null, doubt_since: NOW, payload: 'P' })],
    ['unknown', waiting({ state: 'unknown', next_at: null })],
  ]
  test.each(starts)('in every order ends in the same state, of a mail that is %s', (_, row) => {
    for (const [heard, state] of sets)
      for (const order of permutations(heard)) {
        const after = hear(row, order)
        expect([order, after.state]).toEqual([order, state])
        expect(after).toMatchObject({ doubt_since: null, payload: null, next_at: null })
        const story = readHistory(after.history, NOW - 1).map(({ kind }) => kind)
        expect(story).toEqual(['queued', ...words.filter((word) => heard.includes(word))])
      }
  })

  test('on a batch of which others are in doubt leaves what they must repeat', () => {
    const row = waiting({ state: 'sending', doubt_since: NOW, payload: 'P', batch: 'batch/1' })
    expect(hear(row, ['delivered'])).toMatchObject({
      state: 'delivered',
      doubt_since: null,
      payload: 'P',
      batch: 'batch/1',
    })
  })

  test('on an earlier round is written down and moves nothing', () => {
    const again = redriven(hear(sent, ['bounced']), NOW) as Row
    const heard = {
      id: 'x',
      word: 'complained',
      at: NOW,
      providerId: 're_1',
      detail: null,
    } as const
    const after = toldOfEarlier(again, heard)
    expect({ ...after, history: again.history }).toEqual(again)
    const [detail] = readHistory(after.history, NOW)
      .filter(({ kind }) => kind === 'complained')
      .map((entry) => entry.detail)
    expect(detail).toContain('earlier round')
  })

  test('says what a person should know', () => {
    const heard = { id: 'x', word: 'bounced', at: NOW, providerId: 're_1', detail: 'no such box' }
    expect(told(sent, heard as Parameters<typeof told>[1], NOW).last_error).toBe(
      'It came back: no such box',
    )
    expect(hear(sent, ['delivered']).last_error).toBeNull()
  })
})
