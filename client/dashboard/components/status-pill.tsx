import type { Status } from '../order.ts'

export function StatusPill({ status }: { status: Status }) {
  return (
    <span class="pill" data-status={status}>
      {status}
    </span>
  )
}
