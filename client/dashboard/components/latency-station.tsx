import { formatMs } from '../format.ts'
import { percentiles, sparkline } from '../latency.ts'
import { plural } from '../sentences.ts'
import { latency } from '../store.ts'

const WIDTH = 120
const HEIGHT = 30

/** Commit to screen, of the last changes. */
export function LatencyStation() {
  const { samplesMs, trend } = latency.value
  const now = percentiles(samplesMs)
  const drawn = sparkline(trend, WIDTH, HEIGHT)
  return (
    <li class="station latency" data-test="latency">
      <span class="station-name">Commit to screen</span>
      <span class="station-word">
        {now ? formatMs(now.p50) : '–'} {now && <small>p50</small>}
      </span>
      <span class="station-note">
        {now
          ? `p95 ${formatMs(now.p95)}, last ${plural(samplesMs.length, 'change', 'changes')}`
          : 'from the first change on'}
      </span>
      <svg
        class="spark"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        {drawn && (
          <>
            <path class="spark-band" d={drawn.band} />
            <path class="spark-line" d={drawn.line} />
          </>
        )}
      </svg>
    </li>
  )
}
