/**
 * What the model knows of the product: CPU time in microseconds, of one core of the machine that
 * it was measured on (measure.ts). The vendor's machines are other ones.
 */
export type Costs = {
  /** The feed, by changes in a batch: parse, append, acknowledge, poke its readers. */
  append: Line
  /** One call to one shard, by bytes, both ends together: the model puts it all on the caller. */
  call: Line
  /** One frame to one socket, by bytes. */
  frame: Line
  /** The share of a frame's cost that is spent before its first byte leaves. */
  beforeFirstByte: number
  /** One change held against one filter that it does not match. */
  filterUs: number
  /** One acknowledgement of one subscriber. */
  ackUs: number
  /** A subscriber that comes and asks for nothing it missed; and one that has missed something. */
  joinUs: number
  resumeUs: number
  /** From the end of an append until the disk has it: wall clock, nobody works. */
  confirmUs: number
  /** From a write until the listener sends it, when nothing else is under way: wall clock. */
  listenerUs: number
  /**
   * JavaScript heap of the isolate, with no socket and for each: in use, and when the vendor would
   * have put the object to sleep long ago.
   */
  heap: { emptyBytes: number; socketBytes: number; idleSocketBytes: number }
}

/** On a core that takes so many times as long for everything. */
export function slowed(costs: Costs, times: number): Costs {
  const line = ({ fixedUs, perUnitUs }: Line): Line => ({
    fixedUs: fixedUs * times,
    perUnitUs: perUnitUs * times,
  })
  return {
    ...costs,
    append: line(costs.append),
    call: line(costs.call),
    frame: line(costs.frame),
    filterUs: costs.filterUs * times,
    ackUs: costs.ackUs * times,
    joinUs: costs.joinUs * times,
    resumeUs: costs.resumeUs * times,
  }
}

/** So much each time, and so much more for each change or byte in it. */
export type Line = { fixedUs: number; perUnitUs: number }

export function costOf({ fixedUs, perUnitUs }: Line, units: number): number {
  return fixedUs + perUnitUs * units
}

export type Point = { units: number; us: number }

/**
 * The line with the least squares of relative errors, so that small frames count as much as
 * large ones. It neither falls nor begins below nothing.
 */
export function lineThrough(points: readonly Point[]): Line {
  const sum = (of: (point: Point) => number) =>
    points.reduce((total, point) => total + of(point) / point.us ** 2, 0)
  const weight = sum(() => 1)
  const [x, y] = [sum(({ units }) => units) / weight, sum(({ us }) => us) / weight]
  const spread = sum(({ units }) => (units - x) ** 2)
  const slope = spread === 0 ? 0 : sum(({ units, us }) => (units - x) * (us - y)) / spread
  const perUnitUs = Math.max(0, slope)
  return { fixedUs: Math.max(0, y - perUnitUs * x), perUnitUs }
}
