/**
 * Puts quotes around numbers that a double cannot hold exactly (P5), in JSON text, without
 * parsing it: rows are passed on as the text that Postgres wrote.
 * @example {"id":9007199254740993} becomes {"id":"9007199254740993"}
 */
export function quoteInexactNumbers(json: string): string {
  if (!LONG_NUMBER.test(json) && !LARGE_EXPONENT.test(json)) return json
  return json.replace(STRING_OR_NUMBER, (token) =>
    token.startsWith('"') || isExact(token) ? token : `"${token}"`,
  )
}

/** Fifteen digits always fit a double, unless an exponent (in a `json` column) leaves its range. */
const LONG_NUMBER = /(?:^|[:,[\s])-?[\d.]{16}/
const LARGE_EXPONENT = /(?<=\d)[eE][+-]?\d{3}/
const CERTAINLY_EXACT = /^-?[\d.]{1,15}$/
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

function isExact(number: string): boolean {
  return CERTAINLY_EXACT.test(number) || significant(number) === significant(String(Number(number)))
}

/** The digits without sign, leading and trailing zeros, and where the point stands among them. */
function significant(number: string): string {
  const match = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number)
  if (!match) return number
  const [, whole = '', fraction = '', exponent = '0'] = match
  const digits = (whole + fraction).replace(/^0+/, '')
  const point = digits.length - fraction.length + Number(exponent)
  const shortest = digits.replace(/0+$/, '')
  return shortest === '' ? '0' : `${shortest}e${point}`
}
