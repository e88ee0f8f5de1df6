/**
 * Control characters and line ends become spaces; what is not seen, such as the marks that turn
 * the writing direction of what follows, is dropped, but for what shapes letters and emoji; what is
 * too long ends in an ellipsis.
 */
export function onOneLine(text: string, max: number): string {
  const line = text
    .toWellFormed()
    .replace(/(?!\u200c|\u200d|[\ufe00-\ufe0f])\p{Default_Ignorable_Code_Point}/gu, '')
    .replace(/[\p{Cc}\p{Z}]+/gu, ' ')
    .trim()
  return cut(line, max)
}

/** By characters, so that none is halved. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text
  const characters = Array.from(text.slice(0, 2 * max + 2))
  return characters.length <= max
    ? text
    : `${characters
        .slice(0, max - 1)
        .join('')
        .trimEnd()}…`
}

/** `1,234.50`; what is not a number stays as it is. */
export function formatAmount(amount: number | string): string {
  const number = Number(amount)
  if (amount === '' || !Number.isFinite(number)) return String(amount)
  return number.toLocaleString('en-GB', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
}

/** `21 November 2026, 08:33 UTC`; what is not a time stays as it is. */
export function formatInstant(instant: string): string {
  const time = Date.parse(instant)
  if (Number.isNaN(time)) return instant
  const [day, clock] = (['date', 'time'] as const).map((part) =>
    new Intl.DateTimeFormat('en-GB', {
      timeZone: 'UTC',
      ...(part === 'date' ? { dateStyle: 'long' } : { timeStyle: 'short' }),
    }).format(time),
  )
  return `${day}, ${clock} UTC`
}
