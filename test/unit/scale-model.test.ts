import { describe, expect, test } from 'vitest'
import { type Costs, costOf, lineThrough } from '../bench/scale/costs.ts'
import { Clock, Core, Places } from '../bench/scale/engine.ts'
import type { Load, Outcome, Plan, Span } from '../bench/scale/load.ts'
import { pressuresOn } from '../bench/scale/pressures.ts'
import { simulateReturn } from '../bench/scale/return.ts'
import { simulate } from '../bench/scale/simulation.ts'

const costs: Costs = {
  append: { fixedUs: 400, perUnitUs: 10 },
  call: { fixedUs: 300, perUnitUs: 0.001 },
  frame: { fixedUs: 30, perUnitUs: 0.0005 },
  beforeFirstByte: 0.5,
  filterUs: 0.5,
  ackUs: 0,
  joinUs: 500,
  resumeUs: 1_500,
  confirmUs: 5_000,
  listenerUs: 2_000,
  heap: { emptyBytes: 8e6, socketBytes: 2_000, idleSocketBytes: 2_000 },
}
const BYTES = 1_000
const FRAME_BYTES = 80
const near = { feedRttMs: 40, subscriberMs: 10 }
const onePlan: Plan = {
  shardsPerRegion: 1,
  tree: 'none',
  calls: Number.POSITIVE_INFINITY,
  cores: 'each',
}
const span: Span = { seed: 7, warmUpSeconds: 1, seconds: 20 }

function load(subscribers: number, changesPerSecond: number, more: Partial<Load> = {}): Load {
  return {
    changesPerSecond,
    bytesPerChange: BYTES,
    arrivals: 'even',
    ownFilters: 0,
    acks: false,
    linkRttMs: 20,
    regions: [{ ...near, subscribers }],
    ...more,
  }
}

describe('one shard with nothing else to do', () => {
  const sockets = 1_000
  const frameUs = sockets * costOf(costs.frame, BYTES + FRAME_BYTES)
  const beforeFrameUs =
    costs.listenerUs +
    10_000 +
    costOf(costs.append, 1) +
    costs.confirmUs +
    costOf(costs.call, BYTES) +
    20_000
  // Not in step with the shard's heartbeats, which would be in the way.
  const { p50Ms, p99Ms } = simulate(costs, load(sockets, 0.37), onePlan, span)

  test('is late by the sum of the costs', () => {
    const halfOfTheRestUs = frameUs * (1 - (1 - costs.beforeFirstByte) / 2)
    const expectedMs = (beforeFrameUs + halfOfTheRestUs + 10_000) / 1000
    expect(Math.abs((p50Ms as number) - expectedMs)).toBeLessThan(2)
    expect(p99Ms).toBeGreaterThan(p50Ms as number)
    expect(p99Ms).toBeLessThan((beforeFrameUs + frameUs + 10_000) / 1000)
  })
})

describe('a shard that is asked for more than it can do', () => {
  // 20,000 sockets take 10 µs for the bytes of one change, 200 times a second.
  const crowded = load(20_000, 200)
  const lasting = (seconds: number) => simulate(costs, crowded, onePlan, { ...span, seconds })

  test('falls behind, the further the longer it lasts', () => {
    const [short, long] = [lasting(20), lasting(60)]
    expect(long.shardUse).toBeGreaterThan(0.95)
    expect(long.lagMs).toBeGreaterThan(2 * short.lagMs)
    expect(long.toldPerSecond).toBeLessThan(200)
  })

  test('keeps up with the same changes in frames of many, where only frames are too many', () => {
    const many = simulate(costs, load(5_000, 200), onePlan, span)
    expect(many.toldPerSecond).toBeCloseTo(200, -1)
    expect(many.framesPerSecond).toBeLessThan(10)
    expect(many.lagMs).toBeLessThan(1_000)
  })
})

describe('the feed', () => {
  const shards = (count: number, more: Partial<Plan> = {}): Outcome => {
    const asked = load(1_000 * count, 5, { arrivals: 'random' })
    return simulate(costs, asked, { ...onePlan, shardsPerRegion: count, ...more }, span)
  }

  test('works in proportion to the shards that it calls', () => {
    const [few, many] = [shards(20), shards(200)]
    expect(many.callsPerSecond).toBeGreaterThan(9 * few.callsPerSecond)
    expect(many.callsPerSecond).toBeLessThan(11 * few.callsPerSecond)
    expect(many.feedUse).toBeGreaterThan(5 * few.feedUse)
  })

  test('is late to hundreds if it may have six calls under way, and a tree is not', () => {
    const [free, six] = [shards(300), shards(300, { calls: 6 })]
    const tree = shards(300, { calls: 6, tree: { each: 6 } })
    expect(six.lagMs).toBeGreaterThan(10 * (free.p99Ms as number))
    expect(tree.lagMs).toBeLessThan(1_000)
    expect(tree.p99Ms).toBeLessThan(2 * (free.p99Ms as number))
    expect(tree.feedUse).toBeLessThan(free.feedUse / 5)
  })

  test('is the same for the same seed, and another for another', () => {
    const asked = load(2_000, 20, { arrivals: 'random' })
    const once = simulate(costs, asked, onePlan, span)
    expect(simulate(costs, asked, onePlan, span)).toEqual(once)
    expect(simulate(costs, asked, onePlan, { ...span, seed: 8 })).not.toEqual(once)
  })
})

describe('filters', () => {
  const filtering = { ownFilters: 0.9 }

  test('cost each of its own for each change', () => {
    const asked = load(5_000, 2.3, filtering)
    const dear = simulate({ ...costs, filterUs: 5 }, asked, onePlan, span)
    const free = simulate({ ...costs, filterUs: 0 }, asked, onePlan, span)
    // 4,500 filters × 2.3 changes × 5 µs a second.
    expect(dear.shardUse - free.shardUse).toBeCloseTo(0.052, 2)
  })

  test('spare the frames, but for one a second to say that nothing matched', () => {
    const all = simulate(costs, load(5_000, 0.37), onePlan, span)
    const own = simulate(costs, load(5_000, 0.37, filtering), onePlan, span)
    expect(own.p50Ms).toBeLessThan((all.p50Ms as number) / 1.5)
    expect(own.shardUse).toBeGreaterThan(0.8 * all.shardUse)
    expect(own.shardUse).toBeLessThan(1.2 * all.shardUse)
  })
})

describe('what is hit first', () => {
  const outcome: Outcome = {
    p50Ms: 100,
    p99Ms: 200,
    lagMs: 0,
    feedUse: 0.1,
    relayUse: 0,
    shardUse: 0.5,
    batchesPerSecond: 10,
    toldPerSecond: 10,
    callsPerSecond: 10,
    acksPerSecond: 0,
    framesPerSecond: 10,
  }
  const first = (sockets: number, change: Partial<Outcome>, plan: Partial<Plan> = {}) => {
    const asked = load(sockets, 10)
    return pressuresOn(costs, asked, { ...onePlan, ...plan }, { ...outcome, ...change })[0]
  }

  test.each([
    ['p99 of 1 s', 1_000, { p99Ms: 1_500 }],
    ['p99 of 1 s', 1_000, { p99Ms: null }],
    ["the feed's thread", 1_000, { feedUse: 0.9 }],
    ['sockets of an object', 40_000, {}],
    ['requests to the feed', 1_000, { batchesPerSecond: 1_200 }],
    ['requests to a shard', 1_000, { acksPerSecond: 1_200 }],
  ] as const)('%s', (limit, sockets, change) => {
    expect(first(sockets, change)).toEqual({ limit, share: expect.toSatisfy((share) => share > 1) })
  })

  test('the heap, where sockets are large', () => {
    const large = { ...costs, heap: { ...costs.heap, socketBytes: 10_000 } }
    const [pressure] = pressuresOn(large, load(15_000, 1), onePlan, outcome)
    expect(pressure).toEqual({ limit: "a shard's heap", share: expect.closeTo(1.54, 1) })
  })
})

describe('everyone comes back at once', () => {
  test('takes as long as the feed takes for a request of each, if none is shared', () => {
    expect(simulateReturn(costs, 50_000, 100).unsharedSeconds).toBeCloseTo(50, 0)
  })

  test('takes as long as the fullest shard takes, where shards share what they read', () => {
    const { seconds, requestsToFeed } = simulateReturn(costs, 20_000, 1)
    expect(seconds).toBeCloseTo((20_000 * (1_500 - 300)) / 1e6, 0)
    expect(requestsToFeed).toBeLessThan(2_000)
  })
})

describe('costs', () => {
  test('are a line through what was measured', () => {
    const points = [100, 1_000, 10_000].map((units) => ({ units, us: 20 + 0.5 * units }))
    const line = lineThrough(points)
    expect(line.fixedUs).toBeCloseTo(20)
    expect(line.perUnitUs).toBeCloseTo(0.5)
  })

  test('are as near to small frames as to large ones', () => {
    const points = [
      { units: 1, us: 10 },
      { units: 1_000, us: 1_000 },
      { units: 1_000_000, us: 1_200_000 },
    ]
    const line = lineThrough(points)
    for (const { units, us } of points) expect(costOf(line, units) / us).toBeCloseTo(1, 0)
  })

  test('never fall with size, nor begin below nothing', () => {
    const falling = [
      { units: 1, us: 100 },
      { units: 1_000, us: 90 },
    ]
    expect(lineThrough(falling).perUnitUs).toBe(0)
    const steep = [
      { units: 10, us: 1 },
      { units: 20, us: 11 },
    ]
    expect(lineThrough(steep).fixedUs).toBe(0)
  })
})

describe('the engine', () => {
  test('lets things happen in the order of their time, and of their making', () => {
    const clock = new Clock()
    const seen: string[] = []
    const at = (us: number, name: string) =>
      clock.after(us, () => seen.push(`${name} ${clock.now}`))
    for (const us of [50, 10, 30, 10, 40, 20]) at(us, 'x')
    at(10, 'last of ten')
    clock.run(45)
    expect(seen).toEqual(['x 10', 'x 10', 'last of ten 10', 'x 20', 'x 30', 'x 40'])
    expect(clock.now).toBe(45)
  })

  test('does one piece of work after the other, and lets others in between turns', () => {
    const clock = new Clock()
    const core = new Core(clock)
    const done: string[] = []
    core.workInTurns(100, 4, () => done.push(`long ${clock.now}`))
    core.work(10, () => done.push(`short ${clock.now}`))
    clock.run(1_000)
    expect(done).toEqual(['short 35', 'long 110'])
    expect(core.busyUs).toBe(110)
  })

  test('gives a place to who waited longest', () => {
    const places = new Places(1)
    const taken: number[] = []
    for (const who of [1, 2, 3]) places.take(() => taken.push(who))
    expect(taken).toEqual([1])
    places.give()
    places.give()
    expect(taken).toEqual([1, 2, 3])
  })
})
