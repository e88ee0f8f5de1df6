import { route } from '../navigation.ts'
import { connection, freshness, ordersRefusal, system } from '../store.ts'
import { troubles } from '../troubles.ts'

/** What keeps changes away, each with what to do next. Empty when all is well. */
export function Troubles() {
  // Told where the orders would be, and no trouble.
  if (ordersRefusal.value !== null) return null
  const isMailPage = route.value.page === 'mail'
  const found = troubles(connection.value, freshness.value, system.value).filter(
    // There one looks at it already.
    ({ link }) => link === undefined || !isMailPage,
  )
  if (found.length === 0) return null
  return (
    <ul class="troubles">
      {found.map(({ tone, what, advice, link }) => (
        <li key={advice} class="trouble" data-tone={tone}>
          <strong>{what}</strong> {advice} {link && <a href={link.path}>{link.text}</a>}
        </li>
      ))}
    </ul>
  )
}
