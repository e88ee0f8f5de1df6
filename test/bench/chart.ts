import type { Chart, Section } from './section.ts'

/**
 * The chart for the README: for each measure that has one, a bar for each contestant, drawn by
 * hand. It has no background and follows the reader's light or dark page.
 */
const WIDTH = 760
const LABEL = 220
const VALUE = 84
const BAR = 16
const ROW = 26
const HEAD = 40
const GAP = 26

export function chart(sections: readonly Section[], caption: string): string {
  const charts = sections.flatMap((section) => (section.chart ? [section.chart] : []))
  let y = 8
  const panels = charts.map((each) => {
    const drawn = `<g transform="translate(0 ${y})">${panel(each)}</g>`
    y += HEAD + each.bars.length * ROW + GAP
    return drawn
  })
  const height = y + 14
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${xml(charts.map(spoken).join(' '))}">
<style>
  text { font: 14px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #57606a }
  .title { font-weight: 600; fill: #1f2328 }
  .better, .caption { font-size: 12px; fill: #6e7781 }
  .value { font-variant-numeric: tabular-nums }
  .ours { font-weight: 600; fill: #1f2328 }
  rect { fill: #afb8c1 }
  rect.track { fill: #afb8c1; opacity: .18 }
  rect.our { fill: #b7791f }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 }
    .title, .ours { fill: #f0f6fc }
    .better, .caption { fill: #848d97 }
    rect, rect.track { fill: #57606a }
    rect.our { fill: #e3a83b }
  }
</style>
${panels.join('\n')}
<text class="caption" x="0" y="${height - 8}">${xml(caption)}</text>
</svg>
`
}

function panel({ title, better, bars }: Chart): string {
  const most = Math.max(...bars.map(({ value }) => value))
  const room = WIDTH - LABEL - VALUE
  const rows = bars.map(({ title, value, ours }, index) => {
    const y = HEAD + index * ROW
    const length = Math.max(2, (value / most) * room)
    const middle = y + BAR / 2 + 5
    return [
      `<text class="${ours ? 'ours' : 'name'}" x="0" y="${middle}">${xml(title)}</text>`,
      `<rect class="track" x="${LABEL}" y="${y}" width="${room}" height="${BAR}" rx="3"/>`,
      `<rect${ours ? ' class="our"' : ''} x="${LABEL}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="3"/>`,
      `<text class="value${ours ? ' ours' : ''}" x="${WIDTH}" y="${middle}" text-anchor="end">${short(value)}</text>`,
    ].join('')
  })
  return `<text class="title" x="0" y="16">${xml(title)}</text><text class="better" x="${WIDTH}" y="16" text-anchor="end">${better} is better</text>${rows.join('')}`
}

function spoken({ title, bars }: Chart): string {
  return `${title}: ${bars.map(({ title, value }) => `${title} ${short(value)}`).join(', ')}.`
}

function short(value: number): string {
  return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en')
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
