import { connection, freshness, system } from '../store.ts'
import { troubles } from '../troubles.ts'

/** What keeps changes away, each with what to do next. Empty when all is well. */
export function Troubles() {
  const found = troubles(connection.value, freshness.value, system.value)
  if (found.length === 0) return null
  return (
    <ul class="troubles">
      {found.map(({ tone, what, advice }) => (
        <li key={advice} class="trouble" data-tone={tone}>
          <strong>{what}</strong> {advice}
        </li>
      ))}
    </ul>
  )
}
