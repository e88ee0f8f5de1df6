const QUOTE = 34
const BACKSLASH = 92
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [91, 93, 123, 125]

/**
 * A part of a JSON array of objects, cut out of its text: parsing half a megabyte and printing a
 * piece of it again takes ten times as long.
 * @param skip so many elements are left out at the beginning
 * @param maxCharacters how long the part may be; one element is taken however long it is
 * @returns the part as a JSON array, and how many elements it has
 */
export function cutArray(
  array: string,
  skip: number,
  maxCharacters: number,
): { part: string; count: number } {
  let begin = 1
  for (let n = 0; n < skip; n++) begin = endOfObject(array, begin) + 1
  let end = begin
  let count = 0
  for (let next = begin; next < array.length - 1; next = end + 1) {
    const after = endOfObject(array, next)
    if (count > 0 && after - begin > maxCharacters) break
    end = after
    count++
  }
  return { part: `[${array.slice(begin, end)}]`, count }
}

function endOfObject(json: string, from: number): number {
  let depth = 0
  for (let at = from; at < json.length; at++) {
    const character = json.charCodeAt(at)
    if (character === QUOTE) at = closingQuote(json, at)
    else if (character === OPEN_OBJECT || character === OPEN_LIST) depth++
    else if (character === CLOSE_OBJECT || character === CLOSE_LIST) {
      depth--
      if (depth === 0) return at + 1
    }
  }
  throw new Error('not a JSON array of objects, or not so many')
}

function closingQuote(json: string, opening: number): number {
  for (let at = json.indexOf('"', opening + 1); at >= 0; at = json.indexOf('"', at + 1)) {
    let backslashes = 0
    while (json.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return at
  }
  throw new Error('a string without an end')
}
