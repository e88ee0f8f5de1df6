/** How long the last changes took from commit to screen, newest last. */
export type Latency = {
  samplesMs: readonly number[]
  /** One point for each time the screen was drawn with new samples. */
  trend: readonly Percentiles[]
}

export type Percentiles = { p50: number; p95: number }

const MAX_SAMPLES = 200
const MAX_POINTS = 48

export const noLatency: Latency = { samplesMs: [], trend: [] }

export function addSamples({ samplesMs, trend }: Latency, addedMs: readonly number[]): Latency {
  const samples = [...samplesMs, ...addedMs].slice(-MAX_SAMPLES)
  const point = percentiles(samples)
  return point ? { samplesMs: samples, trend: [...trend, point].slice(-MAX_POINTS) } : noLatency
}

/** @returns null as long as there is nothing to measure */
export function percentiles(samplesMs: readonly number[]): Percentiles | null {
  if (samplesMs.length === 0) return null
  const sorted = [...samplesMs].sort((a, b) => a - b)
  // Nearest rank: the smallest sample that so many of all do not exceed.
  const rank = (share: number) =>
    sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number
  return { p50: rank(0.5), p95: rank(0.95) }
}

/**
 * The trend as SVG paths in a box of `width` × `height`: a line for the p50 and
 * a band from there up to the p95.
 */
export function sparkline(trend: readonly Percentiles[], width: number, height: number) {
  const top = Math.max(1, ...trend.map(({ p95 }) => p95))
  const step = width / Math.max(1, trend.length - 1)
  const y = (ms: number) => round(height - 1 - (Math.max(0, ms) / top) * (height - 2))
  const line = (of: keyof Percentiles) =>
    // A single point is drawn as a level line, so that the first change shows.
    (trend.length === 1 ? [...trend, ...trend] : trend).map(
      (point, index) =>
        `${round(trend.length === 1 ? index * width : index * step)},${y(point[of])}`,
    )
  const [low, high] = [line('p50'), line('p95')]
  if (low.length === 0) return null
  return { line: `M${low.join('L')}`, band: `M${low.join('L')}L${high.reverse().join('L')}Z` }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
