import type { Chart, Section } from './section.ts'

/**
 * The chart for the README: for each measure that has one, a bar for each contestant. It is drawn
 * by hand, at about the width of a phone's page, so that its text is never shrunk below 12 px: on
 * a wide page it is shown as it is. The card behind it keeps it legible where the page's theme is
 * not the one that the browser asks pictures to follow.
 */
const WIDTH = 420
const PADDING = 16
const INSIDE = WIDTH - 2 * PADDING
const BAR = 8
const ROW = 36
const HEAD = 46
const GAP = 22
const LINE = 16
/** Characters of the caption on one line. */
const CAPTION = 62

export function chart(sections: readonly Section[], caption: string): string {
  const charts = sections.flatMap((section) => (section.chart ? [section.chart] : []))
  let y = PADDING
  const panels = charts.map((each) => {
    const drawn = `<g transform="translate(${PADDING} ${y})">${panel(each)}</g>`
    y += HEAD + each.bars.length * ROW + GAP
    return drawn
  })
  const lines = wrap(caption).map(
    (line, index) =>
      `<text class="caption" x="${PADDING}" y="${y + 4 + index * LINE}">${xml(line)}</text>`,
  )
  const height = y + lines.length * LINE + PADDING - 6
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${xml(charts.map(spoken).join(' '))}">
<style>
  text { font: 14px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #57606a }
  .title { font-size: 15px; font-weight: 600; fill: #1f2328 }
  .better, .caption { font-size: 13px }
  .value { font-variant-numeric: tabular-nums }
  .ours { font-weight: 600; fill: #1f2328 }
  .card { fill: #ffffff; stroke: #d1d9e0 }
  .bar { fill: #8c959f }
  .track { fill: #8c959f; opacity: .16 }
  .our { fill: #b7791f }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 }
    .title, .ours { fill: #f0f6fc }
    .card { fill: #0d1117; stroke: #3d444d }
    .bar, .track { fill: #656c76 }
    .our { fill: #e3a83b }
  }
</style>
<rect class="card" x=".5" y=".5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
${panels.join('\n')}
${lines.join('\n')}
</svg>
`
}

function panel({ title, load, better, bars }: Chart): string {
  const most = Math.max(...bars.map(({ value }) => value))
  const rows = bars.map(({ title, value, ours }, index) => {
    const y = HEAD + index * ROW
    const length = Math.max(3, (value / most) * INSIDE)
    return [
      `<text${ours ? ' class="ours"' : ''} x="0" y="${y + 14}">${xml(title)}</text>`,
      `<text class="value${ours ? ' ours' : ''}" x="${INSIDE}" y="${y + 14}" text-anchor="end">${short(value)}</text>`,
      `<rect class="track" x="0" y="${y + 20}" width="${INSIDE}" height="${BAR}" rx="3"/>`,
      `<rect class="bar${ours ? ' our' : ''}" x="0" y="${y + 20}" width="${length.toFixed(1)}" height="${BAR}" rx="3"/>`,
    ].join('')
  })
  return `<text class="title" x="0" y="15">${xml(title)}</text><text class="better" x="0" y="34">${xml(load)}, ${better} is better</text>${rows.join('')}`
}

function spoken({ title, load, bars }: Chart): string {
  return `${title}, ${load}: ${bars.map(({ title, value }) => `${title} ${short(value)}`).join(', ')}.`
}

function short(value: number): string {
  return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en')
}

function wrap(text: string): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= CAPTION)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
