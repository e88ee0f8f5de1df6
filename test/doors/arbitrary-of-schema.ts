import fc from 'fast-check'
import { resolve, type Schema } from './published.ts'

/**
 * Values that a JSON Schema allows, made from the schema itself: as much of the 2020-12 dialect
 * as our own OpenAPI says. What is not known of a value (a rule in words, a pattern with Unicode
 * classes) the server refuses; that too is an answer to be looked at.
 *
 * Deeper than `MAX_DEPTH` nothing optional is made, so that a schema of itself ends.
 */
const MAX_DEPTH = 4
const MAX_ITEMS = 4

export function arbitraryOf(document: unknown, schema: Schema, depth = 0): fc.Arbitrary<unknown> {
  const { example, ...rest } = resolve(document, schema) as Keywords & { example?: unknown }
  const made = ofKeywords(document, rest, depth)
  // What people are shown must work, and gets further in than what chance makes.
  return example === undefined || depth === 0
    ? made
    : fc.oneof({ weight: 3, arbitrary: fc.constant(example) }, { weight: 2, arbitrary: made })
}

function ofKeywords(document: unknown, schema: Keywords, depth: number): fc.Arbitrary<unknown> {
  const { anyOf, oneOf, allOf } = schema
  if ('const' in schema) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  const either = anyOf ?? oneOf
  if (either) return fc.oneof(...either.map((each) => arbitraryOf(document, each, depth)))
  if (allOf) return arbitraryOf(document, merged(document, allOf), depth)
  const types = Array.isArray(schema.type) ? schema.type : [schema.type ?? typeless(schema)]
  return fc.oneof(...types.map((type) => ofType(document, schema, type, depth)))
}

function ofType(
  document: unknown,
  schema: Keywords,
  type: string,
  depth: number,
): fc.Arbitrary<unknown> {
  switch (type) {
    case 'null':
      return fc.constant(null)
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return integers(schema)
    case 'number':
      return fc.oneof(integers(schema), decimals(schema))
    case 'string':
      return strings(schema)
    case 'array': {
      const { items = {}, minItems = 0, maxItems = MAX_ITEMS } = schema
      const lengths = {
        minLength: minItems,
        maxLength: Math.max(minItems, Math.min(maxItems, MAX_ITEMS)),
      }
      return fc.array(arbitraryOf(document, items, depth + 1), lengths)
    }
    case 'object':
      return objects(document, schema, depth)
    default:
      return fc.jsonValue({ maxDepth: 2 })
  }
}

function objects(document: unknown, schema: Keywords, depth: number): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties } = schema
  const names = Object.keys(properties).filter(
    (name) => depth < MAX_DEPTH || required.includes(name),
  )
  const fields = fc.record(
    Object.fromEntries(
      names.map((name) => [name, arbitraryOf(document, properties[name] ?? {}, depth + 1)]),
    ),
    { requiredKeys: required.filter((name) => names.includes(name)), noNullPrototype: true },
  )
  if (typeof additionalProperties !== 'object' || depth >= MAX_DEPTH) return fields
  const more = fc.dictionary(
    fc.string({ maxLength: 12 }),
    arbitraryOf(document, additionalProperties, depth + 1),
    { maxKeys: 3, noNullPrototype: true },
  )
  return fc.tuple(fields, more).map(([known, others]) => ({ ...others, ...known }))
}

function integers({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Keywords) {
  const min = Math.ceil(minimum ?? (exclusiveMinimum ?? -1_000_000) + 1)
  const max = Math.floor(maximum ?? (exclusiveMaximum ?? Math.max(1_000_000, min + 1)) - 1)
  const bound = (n: number) =>
    Math.min(Math.max(n, -Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
  const [least, most] = [bound(min), Math.max(bound(min), bound(max))]
  return fc.oneof(
    fc.integer({ min: least, max: Math.max(least, Math.min(most, least + 100)) }),
    fc.maxSafeInteger().map((n) => Math.min(Math.max(n, least), most)),
  )
}

function decimals({ minimum = -1e9, maximum = 1e9 }: Keywords) {
  return fc.double({ min: minimum, max: maximum, noNaN: true, noDefaultInfinity: true })
}

function strings({
  format,
  pattern,
  minLength = 0,
  maxLength = 60,
}: Keywords): fc.Arbitrary<string> {
  switch (format) {
    case 'date-time':
      return fc
        .date({ min: new Date('1900-01-01'), max: new Date('2200-01-01'), noInvalidDate: true })
        .map((date) => date.toISOString())
    case 'uuid':
      return fc.uuid()
    case 'email':
      return fc.emailAddress()
    case 'uri':
      return fc.webUrl()
  }
  if (pattern !== undefined && !pattern.includes('\\p{'))
    return fc.stringMatching(new RegExp(pattern, 'u')).filter((text) => text.length <= maxLength)
  const lengths = { minLength, maxLength: Math.max(minLength, Math.min(maxLength, 60)) }
  return fc.oneof(
    { weight: 3, arbitrary: fc.string({ ...lengths, unit: 'grapheme-ascii' }) },
    { weight: 1, arbitrary: fc.string({ ...lengths, unit: 'grapheme' }) },
    { weight: 1, arbitrary: fc.string({ ...lengths, unit: 'binary' }) },
  )
}

function merged(document: unknown, parts: readonly Schema[]): Schema {
  const all = parts.map((part) => resolve(document, part) as Keywords)
  return Object.assign({}, ...all, {
    properties: Object.assign({}, ...all.map(({ properties = {} }) => properties)),
    required: all.flatMap(({ required = [] }) => required),
  })
}

function typeless({ properties, items }: Keywords): string {
  if (properties) return 'object'
  return items ? 'array' : 'any'
}

type Keywords = {
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly properties?: { readonly [name: string]: Schema }
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly format?: string
  readonly pattern?: string
}
