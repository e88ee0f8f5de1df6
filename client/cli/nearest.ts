/** @returns ` (did you mean "tail"?)` if one of `names` is close to what was typed, else nothing */
export function meant(typed: string, names: readonly string[], prefix = ''): string {
  const name = nearest(typed, names)
  return name === null ? '' : ` (did you mean "${prefix}${name}"?)`
}

/** The name that takes the fewest edits, or begins like it. @returns null if none is close */
export function nearest(typed: string, names: readonly string[]): string | null {
  const close = names
    .map((name) => ({ name, edits: name.startsWith(typed) ? 1 : edits(typed, name) }))
    .filter(({ name, edits }) => edits <= Math.max(1, Math.floor(name.length / 3)))
    .sort((a, b) => a.edits - b.edits)
  return typed === '' ? null : (close[0]?.name ?? null)
}

/** Levenshtein's distance, two letters exchanged counting once. */
function edits(a: string, b: string): number {
  let [before, last]: [number[], number[]] = [[], [...Array(b.length + 1).keys()]]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      const change = (last[j - 1] ?? 0) + cost
      const exchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(
        change,
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        exchanged ? (before[j - 2] ?? 0) + 1 : change,
      )
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}
