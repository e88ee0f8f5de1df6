import { setTimeout as delay } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { CHANGE_BYTES } from '../cost.ts'
import { measureAck } from './acknowledge.ts'
import { type Costs, costOf, type Line, lineThrough, type Point } from './costs.ts'
import { type Batches, Subject } from './subject.ts'

/** What a frame has besides its changes. */
const FRAME_BYTES = 80
const SHARDS = 8
const SHARED_SOCKETS = 24
/** The runtime lets an object sleep after 10 s without an event. */
const IDLE_MS = 12_000
/** A little more than BEHIND_MS of worker/shard/shard.ts. */
const TOLD_NOTHING_MS = 1_300

/** Measures what the model knows of the product; see costs.ts for what each is. */
export async function measureCosts(
  bench: Bench,
  listener: (aloneMs: number) => Promise<number>,
): Promise<Costs> {
  const call = await measureCall(bench)
  const { aloneMs, ...rest } = await Subject.during(bench, 1, async (subject) => {
    const sockets = bench.quick ? 500 : 1_000
    await subject.batchUs(batches(bench, 1), 0)
    const append = await measureAppend(bench, subject)
    const emptyBytes = await subject.heapBytes()
    bench.say(`scale: a batch ${line(append)} a change; a call ${line(call)} a byte`)

    await subject.open(1)
    const one = await framePoints(bench, subject, 1)
    const alone = await subject.pace({ perSecond: 10, seconds: 3, bytes: CHANGE_BYTES })
    const joinUs = await subject.open(sockets)
    const all = await framePoints(bench, subject, sockets)
    const frame = lineThrough(
      all.map(({ units, us }, index) => ({
        units,
        us: (us - (one[index] as Point).us) / (sockets - 1),
      })),
    )
    const together = await subject.pace({ perSecond: 4, seconds: 4, bytes: CHANGE_BYTES })
    const socketBytes = ((await subject.heapBytes()) - emptyBytes) / sockets
    await delay(IDLE_MS)
    const idleSocketBytes = ((await subject.heapBytes()) - emptyBytes) / sockets
    bench.say(`scale: a frame ${line(frame)} a byte; ${socketBytes.toFixed(0)} bytes a socket`)

    const frameUs = costOf(frame, FRAME_BYTES + CHANGE_BYTES)
    const oneUs = costOf(append, 1) + costOf(call, CHANGE_BYTES) + frameUs
    const confirmUs = Math.max(0, alone.p50Ms * 1000 - oneUs)
    const waitedUs = together.p50Ms * 1000 - (confirmUs + oneUs - frameUs)
    const { position } = together
    const resumeUs = position
      ? await subject.open(sockets, { from: { ...position, offset: position.offset - 20 } })
      : Number.NaN
    const ackUs = await measureAck(subject)
    const filterUs = await measureFilter(subject, sockets, { append, call, frame })
    return {
      append,
      call,
      frame,
      // Half of all sockets have theirs when half of what follows the first byte is done.
      beforeFirstByte: Math.min(1, Math.max(0, (2 * waitedUs) / (frameUs * sockets) - 1)),
      filterUs,
      ackUs,
      joinUs,
      resumeUs,
      confirmUs,
      heap: { emptyBytes, socketBytes, idleSocketBytes },
      aloneMs: alone.p50Ms,
    }
  })
  return { ...rest, listenerUs: await listener(aloneMs) }
}

async function measureAppend(bench: Bench, subject: Subject): Promise<Line> {
  const points: Point[] = []
  for (const changes of [1, 10, 100, 500])
    points.push({ units: changes, us: await subject.batchUs(batches(bench, changes), 0) })
  return lineThrough(points)
}

/** The same sockets on one shard and on several: what is left between them are the calls. */
async function measureCall(bench: Bench): Promise<Line> {
  const measure = (shards: number) =>
    Subject.during(bench, shards, async (subject) => {
      await subject.batchUs(batches(bench, 1), 0)
      await subject.open(SHARED_SOCKETS)
      const count = await subject.shards()
      return { count, points: await framePoints(bench, subject, SHARED_SOCKETS) }
    })
  const [few, many] = [await measure(1), await measure(SHARDS)]
  return lineThrough(
    many.points.map(({ units, us }, index) => ({
      units: units - FRAME_BYTES,
      us: Math.max(1, (us - (few.points[index] as Point).us) / (many.count - few.count)),
    })),
  )
}

async function framePoints(bench: Bench, subject: Subject, sockets: number): Promise<Point[]> {
  const points: Point[] = []
  for (const changes of [1, 20, 100]) {
    const us = await subject.batchUs(batches(bench, changes), sockets)
    points.push({ units: FRAME_BYTES + changes * CHANGE_BYTES, us })
  }
  return points
}

/** Those to whom nothing matched are told so after a second, in a frame, which is taken off. */
async function measureFilter(
  subject: Subject,
  sockets: number,
  { append, call, frame }: Pick<Costs, 'append' | 'call' | 'frame'>,
): Promise<number> {
  const [times, changes] = [3, 200]
  await subject.open(sockets, { dialect: 'belfry, filtered' })
  const us = await subject.cpuUs(async () => {
    for (let time = 0; time < times; time++) {
      await subject.listener.send({ batches: 1, changes, bytes: CHANGE_BYTES })
      await delay(TOLD_NOTHING_MS)
    }
  })
  const besides =
    costOf(append, changes) +
    costOf(call, changes * CHANGE_BYTES) +
    sockets * costOf(frame, FRAME_BYTES)
  return Math.max(0, us / times - besides) / (sockets * changes)
}

function batches({ quick }: Bench, changes: number): Batches {
  const many = quick ? 20 : 60
  return { batches: changes > 100 ? many / 4 : many, changes, bytes: CHANGE_BYTES }
}

function line({ fixedUs, perUnitUs }: Line): string {
  return `${fixedUs.toFixed(1)} µs + ${perUnitUs.toPrecision(2)} µs`
}
