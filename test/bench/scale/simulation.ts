import { CANARY_MS } from '../../../protocol/canary.ts'
import { MAX_BATCH_CHANGES } from '../../../protocol/link.ts'
import { Random } from '../../simulation/random.ts'
import { Histogram } from '../load/histogram.ts'
import { type Costs, costOf } from './costs.ts'
import { Clock, Core, Places } from './engine.ts'
import type { Load, Outcome, Plan, Span } from './load.ts'
import { type Hearer, Sender } from './sender.ts'
import { SimulatedShard, type World } from './simulated-shard.ts'

/**
 * The way of a change from its write to every socket, as events: a listener with one batch in
 * flight; the feed's one thread; calls to the shards, or to relays before them; each shard's one
 * thread. What comes while a call is under way goes in the next, as in worker/feed/fan-out.ts.
 *
 * Chance decides when changes come and when a heartbeat is due, and the seed decides chance: the
 * same settings have the same outcome. Latencies are those of changes written after the warm-up
 * and told before the end; where a queue grows, `lagMs` says so.
 */
const BEAT_SPREAD_US = 10e6
/** Between a relay and the shards of its region. */
const NEAR_RTT_MS = 5

export function simulate(costs: Costs, load: Load, plan: Plan, span: Span): Outcome {
  const clock = new Clock()
  const random = new Random(span.seed)
  const began = span.warmUpSeconds * 1e6
  const until = began + span.seconds * 1e6
  const world: World = {
    clock,
    costs,
    load,
    writtenAt: [],
    countsFrom: began,
    latency: new Histogram(),
  }
  const only = new Core(clock)
  const core = () => (plan.cores === 'one' ? only : new Core(clock))
  const sender = () =>
    new Sender(
      { clock, core: core(), places: new Places(plan.calls) },
      costs.call,
      load.bytesPerChange,
    )

  const feed = sender()
  const relays: Sender[] = []
  const shards: SimulatedShard[] = []
  for (const { subscribers, feedRttMs, subscriberMs } of load.regions) {
    const near: Hearer[] = []
    for (let index = 0; index < plan.shardsPerRegion; index++) {
      const sockets = subscribers / plan.shardsPerRegion
      const shard = new SimulatedShard(world, core(), sockets, subscriberMs)
      shard.beat(feed.core, feedRttMs, random.next() * BEAT_SPREAD_US)
      shards.push(shard)
      near.push(shard)
    }
    for (const hearer of plan.tree === 'none' ? near : rootsOf(near, plan.tree.each, relay))
      feed.add(hearer, feedRttMs)
  }
  function relay(called: readonly Hearer[]): Sender {
    const between = sender()
    for (const hearer of called) between.add(hearer, NEAR_RTT_MS)
    relays.push(between)
    return between
  }
  const rollCalls = callTheRoll(world, feed)
  const listener = listen(world, feed, random)

  const count = () => ({
    feed: feed.core.busyUs,
    relays: relays.map((relay) => relay.core.busyUs),
    shards: shards.map((shard) => shard.core.busyUs),
    batches: listener.batches,
    calls:
      [feed, ...relays].reduce((sum, { calls }) => sum + calls, 0) +
      shards.reduce((sum, { beats }) => sum + beats, rollCalls.calls),
    acks: shards.map(({ acks }) => acks),
    frames: shards.reduce((sum, { frames }) => sum + frames, 0),
    told: Math.min(...shards.map(({ told }) => told)),
  })
  clock.run(began)
  const before = count()
  clock.run(until)
  const after = count()

  const busiest = (now: number[], then: number[]) =>
    Math.max(0, ...now.map((us, index) => us - (then[index] as number))) / (span.seconds * 1e6)
  const oldest = world.writtenAt[after.told]
  return {
    p50Ms: world.latency.quantile(0.5),
    p99Ms: world.latency.quantile(0.99),
    lagMs: oldest === undefined ? 0 : (until - oldest) / 1000,
    feedUse: busiest([after.feed], [before.feed]),
    relayUse: busiest(after.relays, before.relays),
    shardUse: busiest(after.shards, before.shards),
    toldPerSecond: (after.told - before.told) / span.seconds,
    batchesPerSecond: (after.batches - before.batches) / span.seconds,
    callsPerSecond: (after.calls - before.calls) / span.seconds,
    acksPerSecond: busiest(after.acks, before.acks) * 1e6,
    framesPerSecond: (after.frames - before.frames) / span.seconds / shards.length,
  }
}

/** One for the region, with as many storeys below it as it takes. */
function rootsOf(
  hearers: readonly Hearer[],
  each: number,
  relay: (called: readonly Hearer[]) => Hearer,
): readonly Hearer[] {
  const above: Hearer[] = []
  for (let first = 0; first < hearers.length; first += each)
    above.push(relay(hearers.slice(first, first + each)))
  return above.length > 1 ? rootsOf(above, each, relay) : above
}

/** At each canary the feed asks whom it calls where they stand (worker/feed/roll-call.ts). */
function callTheRoll({ clock, costs }: World, feed: Sender) {
  const state = { calls: 0 }
  const ask = () => {
    for (let other = 0; other < feed.others; other++)
      feed.core.work(costOf(costs.call, 0), () => {
        state.calls++
      })
    clock.after(CANARY_MS * 1000, ask)
  }
  clock.after(CANARY_MS * 500, ask)
  return state
}

/** Writes, and a listener that has one batch in flight. */
function listen({ clock, costs, load, writtenAt }: World, feed: Sender, random: Random) {
  const state = { batches: 0 }
  const wayUs = (load.linkRttMs * 1000) / 2
  let sent = 0
  let sending = false

  const send = () => {
    if (sending || sent === writtenAt.length) return
    sending = true
    clock.after(costs.listenerUs + wayUs, () => {
      // Taken when it was sent, not when it arrives.
      const changes = Math.min(MAX_BATCH_CHANGES, firstAfter(writtenAt, clock.now - wayUs) - sent)
      sent += changes
      const through = sent
      state.batches++
      feed.core.work(costOf(costs.append, changes), () =>
        clock.after(costs.confirmUs, () => {
          feed.hear(through, () => {})
          clock.after(wayUs, () => {
            sending = false
            send()
          })
        }),
      )
    })
  }
  const write = () => {
    writtenAt.push(clock.now)
    send()
    const pause = load.arrivals === 'even' ? 1 : -Math.log(1 - random.next())
    clock.after((pause * 1e6) / load.changesPerSecond, write)
  }
  if (load.changesPerSecond > 0) clock.after(0, write)
  return state
}

/** How many were written by then: the newest are looked at first. */
function firstAfter(writtenAt: readonly number[], us: number): number {
  let count = writtenAt.length
  while (count > 0 && (writtenAt[count - 1] as number) > us) count--
  return count
}
