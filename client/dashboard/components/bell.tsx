import { strokes } from '../store.ts'

/** The mark: a bell in its tower. It swings once when changes arrive. */
export function Bell() {
  const beat = strokes.value === 0 ? undefined : strokes.value % 2
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path class="tower" d="M3 32V14.5C3 7.3 8.8 1.5 16 1.5S29 7.3 29 14.5V32Z" />
      <g class="bell" data-beat={beat}>
        <path d="M16 7.5c-4.2 0-6.6 3.2-6.6 7.4 0 4.3-.9 5.9-2.6 7.3-.7.6-.3 1.6.5 1.6h17.4c.8 0 1.2-1 .5-1.6-1.7-1.4-2.6-3-2.6-7.3 0-4.2-2.4-7.4-6.6-7.4Z" />
        <path d="M12.9 25.6a3.2 3.2 0 0 0 6.2 0Z" />
      </g>
    </svg>
  )
}
