/** Ids as the text of a Postgres array: a parameter that is cast to `bigint[]`. */
export function idList(ids: readonly (number | string)[]): string {
  return `{${ids.join()}}`
}
