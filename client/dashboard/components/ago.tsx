import { formatAgo, formatMoment } from '../format.ts'
import { clock } from '../store.ts'

/** Moves on by itself, without its row. */
export function Ago({ at }: { at: string }) {
  return (
    <time dateTime={at} title={formatMoment(at)}>
      {formatAgo(at, clock.value)}
    </time>
  )
}
