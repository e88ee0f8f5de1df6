import { z } from 'zod'

/** As Postgres has it; there it is authoritative, and its `version` says which of two is newer. */
export const endpointRow = z.object({
  id: z.string(),
  url: z.string(),
  enabled: z.boolean(),
  version: z.int(),
})
export type Endpoint = z.infer<typeof endpointRow>
