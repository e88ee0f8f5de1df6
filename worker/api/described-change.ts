import { z } from '@hono/zod-openapi'
import { change } from '../../protocol/change.ts'

const describedRow = z.record(z.string(), z.unknown()).nullable()

/** The protocol asks of a row only that it is an object; a reader of the documents is told more. */
export const describedChange = change.extend({
  key: describedRow,
  new: describedRow,
  old: describedRow,
})
