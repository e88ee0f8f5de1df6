/** For LIKE: `%`, `_` and the escape itself mean themselves. */
export function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}
