import { z } from 'zod'
import type { CapturedChange, Operation } from '../../../protocol/change.ts'
import type { Audience } from '../body.ts'
import type { Content } from '../content.ts'
import { cut } from '../line.ts'

/** A kind of mail. What it says depends on its data and its reader alone. */
export type Template = {
  name: string
  /** For whoever chooses one. */
  description: string
  /** How a rule uses it; null if no rule may. */
  rules: (Scope & { keep(change: CapturedChange): Kept }) | null
  /** For previews. */
  sample: unknown
  /** @throws if the data is not this template's */
  content(data: unknown, audience: Audience): Content
}

/** Which changes it can tell of; `tables` is null if of any. */
export type Scope = { tables: readonly string[] | null; ops: readonly Operation[] }

/** What a mail needs of a change, or why the change does not have it. */
export type Kept = { ok: true; data: unknown } | { ok: false; why: string }

/** @param schema reads what `pick` took of a change, and reads again what it gave */
export function defineTemplate<Data>(given: {
  name: string
  description: string
  rules: (Scope & { pick(change: CapturedChange): unknown }) | null
  schema: z.ZodType<Data>
  sample: Data
  content(data: Data, audience: Audience): Content
}): Template {
  const { name, description, rules, schema, sample, content } = given
  const keep = (change: CapturedChange): Kept => {
    const { data, error } = schema.safeParse(rules?.pick(change))
    if (!error) return { ok: true, data }
    const issue = error.issues[0]
    return { ok: false, why: `${issue?.path.join('.')}: ${issue?.message}` }
  }
  return {
    name,
    description,
    rules: rules && { tables: rules.tables, ops: rules.ops, keep },
    sample,
    content: (data, audience) => content(schema.parse(data), audience),
  }
}

/** More than a mail shows of one value, and little enough to keep for each mail. */
const KEPT_MAX = 300

/** Of a text that may have any length. */
export const keptText = z.string().transform((text) => cut(text, KEPT_MAX))

/** What a psql may store beyond the API: an id beyond a double and an amount of NaN come as text. */
export const keptNumber = z.union([z.number(), keptText])
