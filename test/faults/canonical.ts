/**
 * One text for one row, however it came: over the feed (JSON, long numbers as text), from the
 * audit or a table (each column as text), or out of a collection. Two rows are equal when these
 * texts are.
 */
export function canonical(row: object | null): string {
  if (row === null) return 'null'
  const columns = Object.entries(row).map(([column, value]) => [column, plain(value)] as const)
  return JSON.stringify(columns.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function plain(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'object') return JSON.stringify(sorted(value))
  const text = String(value)
  // 10.50 over JSON is 10.5, and an object inside a column of text is spaced.
  if (/^-?\d+\.\d+$/.test(text)) return text.replace(/\.?0+$/, '')
  return text.startsWith('{') || text.startsWith('[') ? respaced(text) : text
}

function respaced(text: string): string {
  try {
    return JSON.stringify(sorted(JSON.parse(text)))
  } catch {
    return text
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, each]) => [name, sorted(each)]),
  )
}
