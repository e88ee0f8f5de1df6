/** Drawn on a 16 × 16 grid with a line of 1.5. */
const paths = {
  plus: 'M8 3.25v9.5M3.25 8h9.5',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.4 10.4l3.1 3.1',
  reconnect:
    'M13.2 6.6A5.4 5.4 0 0 0 3.4 5.2M2.8 9.4a5.4 5.4 0 0 0 9.8 1.4M3.2 2.4v2.9h2.9M12.8 13.6v-2.9H9.9',
  pulse: 'M1.75 8.5h2.6l1.9-4.75 3.2 8.5 1.9-3.75h2.9',
  pencil: 'M9.9 3.6 12.4 6.1 5.6 12.9l-3 .5.5-3zM11 2.5l2.5 2.5',
  trash: 'M2.9 4.4h10.2M6.2 4.4V2.9h3.6v1.5M4.2 4.4l.6 8.7h6.4l.6-8.7M6.8 7v3.6M9.2 7v3.6',
  close: 'M4 4l8 8M12 4l-8 8',
  moon: 'M13 9.4A5.4 5.4 0 0 1 6.6 3a5.4 5.4 0 1 0 6.4 6.4Z',
  sun: 'M8 10.9a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8ZM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9',
  mail: 'M2.2 3.9h11.6v8.2H2.2zM2.4 4.2 8 8.7l5.6-4.5',
  arrow: 'M3 8h9.6M9 4.4 12.6 8 9 11.6',
  up: 'M8 12.5v-9M4.5 7 8 3.5 11.5 7',
} as const

export function Icon({ name }: { name: keyof typeof paths }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  )
}
