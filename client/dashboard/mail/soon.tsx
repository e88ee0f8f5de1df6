import { formatMoment, formatMs } from '../format.ts'
import { second } from '../store.ts'

/** "in 3 min", counting down by itself. */
export function Soon({ at }: { at: string }) {
  const inMs = Date.parse(at) - second.value
  return (
    <time dateTime={at} title={formatMoment(at)}>
      {inMs > 1_000 ? `in ${formatMs(inMs)}` : 'now'}
    </time>
  )
}
