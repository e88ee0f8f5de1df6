import { expect, test } from 'vitest'
import { exposition } from '../../worker/api/exposition.ts'

test('a metric has its help, its type and a line for each sample', () => {
  expect(
    exposition([
      { name: 'belfry_head', help: 'The newest offset', samples: [{ value: 57 }] },
      {
        name: 'belfry_refusals_total',
        help: 'What was refused',
        samples: [
          { labels: { door: 'http', code: 'not_found' }, value: 2 },
          { labels: { door: 'link', code: 'fenced' }, value: 1e21 },
        ],
      },
      { name: 'belfry_unknown', help: 'Nobody knows', samples: [] },
    ]),
  ).toBe(
    [
      '# HELP belfry_head The newest offset',
      '# TYPE belfry_head gauge',
      'belfry_head 57',
      '# HELP belfry_refusals_total What was refused',
      '# TYPE belfry_refusals_total counter',
      'belfry_refusals_total{door="http",code="not_found"} 2',
      'belfry_refusals_total{door="link",code="fenced"} 1e+21',
      '',
    ].join('\n'),
  )
})

test('P60 no label and no help can break out of its line', () => {
  const text = exposition([
    {
      name: 'belfry_sockets',
      help: 'a\nb\\c',
      samples: [{ labels: { shard: 'x"} 1\nbelfry_fake 9\\' }, value: 1 }],
    },
  ])
  expect(text.split('\n')).toEqual([
    '# HELP belfry_sockets a\\nb\\\\c',
    '# TYPE belfry_sockets gauge',
    'belfry_sockets{shard="x\\"} 1\\nbelfry_fake 9\\\\"} 1',
    '',
  ])
})
