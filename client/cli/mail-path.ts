import { wholeNumber } from './arguments.ts'

/** @throws UsageError unless the first word is an id */
export function mailPath([id = '']: readonly string[]): string {
  return `/api/emails/${wholeNumber('the id', id)}`
}
