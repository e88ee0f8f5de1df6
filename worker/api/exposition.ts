/**
 * Prometheus' text format, version 0.0.4. By hand: the client that the listener uses is 66 kB
 * here and wants modules of Node's, for what is written once and in one place.
 */
export type Metric = {
  /** Ends with `_total` if it is a counter. */
  name: string
  help: string
  samples: readonly Sample[]
}

export type Sample = { labels?: { readonly [name: string]: string }; value: number }

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** A metric without samples is left out. */
export function exposition(metrics: readonly Metric[]): string {
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(
      ({ name, help, samples }) =>
        `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${typeOf(name)}\n${samples
          .map(({ labels = {}, value }) => `${name}${labelText(labels)} ${value}\n`)
          .join('')}`,
    )
    .join('')
}

function typeOf(name: string): 'counter' | 'gauge' {
  return name.endsWith('_total') ? 'counter' : 'gauge'
}

function labelText(labels: { readonly [name: string]: string }): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}
