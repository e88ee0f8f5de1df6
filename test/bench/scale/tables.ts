import { CHANGE_BYTES } from '../cost.ts'
import type { Section } from '../section.ts'
import type { Answer } from './answer.ts'
import { assumed, MOST_USE, WANTED_P99_MS } from './assumed.ts'
import type { Checked } from './check.ts'
import { type Costs, costOf } from './costs.ts'
import { holds, type Ran } from './pressures.ts'
import { MOST_SHARDS, type Reach } from './reach.ts'
import type { Returned } from './return.ts'

/** What the run prints, and worker/SCALE.md shows. */
const NOTHING = { data: {}, spread: null, targets: [] }

export function costsTable(costs: Costs): Section {
  const { append, call, frame, heap } = costs
  const row = (title: string, value: string) => ({ title, cells: [value] })
  return {
    ...NOTHING,
    name: 'scale costs',
    title: `What was measured here: time on a core of this machine, with changes of ${CHANGE_BYTES} bytes`,
    columns: [''],
    rows: [
      row('feed: a batch of 1 change', us(costOf(append, 1))),
      row('feed: each further change in it', us(append.perUnitUs)),
      row('one call to one shard, with 1 change', us(costOf(call, CHANGE_BYTES))),
      row('each further kilobyte in it', us(call.perUnitUs * 1000)),
      row('shard: a frame with 1 change to one socket', us(costOf(frame, CHANGE_BYTES))),
      row('each further kilobyte in it', us(frame.perUnitUs * 1000)),
      row('shard: one change against one filter of its own', us(costs.filterUs)),
      row('shard: an acknowledgement', us(costs.ackUs)),
      row('a subscriber that comes', us(costs.joinUs)),
      row('a subscriber that comes back for a page', us(costs.resumeUs)),
      row('heap of an isolate with no socket', mb(heap.emptyBytes)),
      row('heap of each socket', `${heap.socketBytes.toFixed(0)} B`),
      row(
        'the same after 12 s of nothing but its heartbeat',
        `${heap.idleSocketBytes.toFixed(0)} B`,
      ),
      row('from the write to the link (wall clock)', ms(costs.listenerUs / 1000)),
      row('from the link to one socket, beside the above (wall clock)', ms(costs.confirmUs / 1000)),
    ],
    data: { costs },
  }
}

export function checkTable(checked: readonly Checked[]): Section {
  const off = ({ measured, predicted }: Checked) =>
    (predicted.p50Ms ?? Number.NaN) / measured.p50Ms - 1
  const sorted = checked.map((each) => Math.abs(off(each))).toSorted((a, b) => a - b)
  return {
    ...NOTHING,
    name: 'scale check',
    title:
      'What the model says of this machine, feed and shard on one thread, and what was measured',
    columns: ['p50 measured', 'predicted', 'off by']
      .concat(['changes/s', 'predicted', 'core', 'predicted'])
      .concat('waited for a core'),
    rows: checked.map((each) => {
      const { sockets, perSecond, measured, predicted, slower } = each
      return {
        title: `${count(sockets)} sockets, ${count(perSecond)}/s`,
        cells: [
          ms(measured.p50Ms),
          ms(predicted.p50Ms ?? Number.NaN),
          `${off(each) < 0 ? '−' : '+'}${percent(Math.abs(off(each)))}`,
          count(Math.round(measured.perSecond)),
          count(Math.round(predicted.toldPerSecond)),
          percent(measured.use),
          percent(Math.min(1, predicted.feedUse) / slower),
          percent(measured.waited),
        ],
      }
    }),
    data: { checked },
    targets: [
      {
        name: 'scale: p50 predicted, off by, in the median of all cases',
        ratio: sorted[sorted.length >> 1] ?? Number.NaN,
        atMost: 0.25,
      },
    ],
    notes: ['What the worker waited for a core makes its work so much longer, for the model too.'],
  }
}

export function shardTable(
  rates: readonly number[],
  shards: readonly { sockets: number; heapBytes: number; runs: readonly Ran[] }[],
): Section {
  return {
    ...NOTHING,
    name: 'scale shards',
    title:
      'One shard across an ocean from the feed: p50 / p99 in ms from the write, by changes a second',
    columns: [...rates.map((rate) => `${count(rate)}/s`), 'heap'],
    rows: shards.map(({ sockets, heapBytes, runs }) => ({
      title: `${count(sockets)} sockets`,
      cells: [...runs.map(latency), mb(heapBytes)],
    })),
  }
}

export function reachTable(reaches: readonly Reach[]): Section {
  return {
    ...NOTHING,
    name: 'scale reach',
    title: `How far it goes with a p99 of ${WANTED_P99_MS / 1000} s and no thread busier than ${percent(MOST_USE)}`,
    columns: [
      'sockets a shard',
      'held by',
      'if 9 of 10 filter',
      'shards, feed calls each',
      'if 6 calls at once',
      'through a tree, 6 at once',
    ],
    rows: reaches.map(({ changesPerSecond, largest, filtered, direct, limited, tree }) => ({
      title: `${count(changesPerSecond)} changes/s`,
      cells: [
        count(largest.sockets),
        largest.heldBy,
        count(filtered.sockets),
        ...[direct, limited, tree].map(upTo),
      ],
    })),
    data: { reaches },
  }
}

export function answerTable(answers: readonly Answer[]): Section {
  return {
    ...NOTHING,
    name: 'scale answers',
    title: 'Subscribers and changes a second: SHARDS_PER_REGION, and p99 from the write',
    columns: [
      'SHARDS_PER_REGION',
      'shards',
      'p99',
      "a shard's thread",
      "feed's thread",
      'p99 if 6 calls at once',
      'p99 through a tree',
      'needs',
      'out',
      'a month',
    ],
    rows: answers.map((answer) => ({
      title: `${subscribersOf(answer.subscribers)} × ${count(answer.changesPerSecond)}/s`,
      cells: [
        count(answer.shardsPerRegion),
        count(answer.shards),
        p99(answer.direct),
        percent(Math.min(1, answer.direct.outcome.shardUse)),
        percent(Math.min(1, answer.direct.outcome.feedUse)),
        p99(answer.limited),
        p99(answer.tree),
        answer.needs,
        bits(answer.gigabitsPerSecond),
        `$${count(Math.round(answer.bill.total))}`,
      ],
    })),
    data: { answers },
    notes: [
      `${assumed.regions.length} regions with 40, 40 and 20 % of the subscribers. "late": it falls behind, or p99 is above ${WANTED_P99_MS / 1000} s.`,
    ],
  }
}

export function returnTable(
  returns: readonly { subscribers: number; shards: number; returned: Returned }[],
): Section {
  return {
    ...NOTHING,
    name: 'scale return',
    title: 'All come back at once, as after a deploy: until the last is in',
    columns: ['shards', 'requests to the feed', 'all in after', 'if reads were not shared'],
    rows: returns.map(({ subscribers, shards, returned }) => ({
      title: subscribersOf(subscribers),
      cells: [
        count(shards),
        count(returned.requestsToFeed),
        duration(returned.seconds),
        duration(returned.unsharedSeconds),
      ],
    })),
    data: { returns },
  }
}

function latency({ outcome }: Ran): string {
  if (outcome.p99Ms === null || outcome.lagMs > 10 * WANTED_P99_MS) return 'falls behind'
  return `${count(Math.round(outcome.p50Ms ?? 0))} / ${count(Math.round(outcome.p99Ms))}`
}

function p99(ran: Ran): string {
  const { p99Ms, lagMs } = ran.outcome
  if (p99Ms === null || lagMs > 10 * WANTED_P99_MS) return 'falls behind'
  return `${count(Math.round(p99Ms))} ms${holds(ran) ? '' : ' (late)'}`
}

function subscribersOf(subscribers: number): string {
  return subscribers < 1e6 ? `${subscribers / 1e3} thousand` : `${subscribers / 1e6} million`
}

function duration(seconds: number): string {
  if (seconds < 120) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}

function bits(gigabits: number): string {
  return gigabits >= 1000
    ? `${(gigabits / 1000).toPrecision(2)} Tbit/s`
    : `${Number(gigabits.toPrecision(2))} Gbit/s`
}

function upTo(shards: number): string {
  return shards === MOST_SHARDS ? `${count(shards)} and more` : count(shards)
}

function us(value: number): string {
  return value >= 1000 ? `${(value / 1000).toFixed(2)} ms` : `${value.toPrecision(3)} µs`
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

function count(value: number): string {
  return value.toLocaleString('en')
}
