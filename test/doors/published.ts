import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { Answer } from './answer.ts'

/** What /openapi.json says, as far as a request and its answer are held against it. */
export type Schema = { readonly [keyword: string]: unknown }
export type Parameter = {
  name: string
  in: 'path' | 'query' | 'header'
  required: boolean
  schema: Schema
}
export type Operation = {
  /** `GET /api/orders/{id}`. */
  name: string
  method: string
  path: string
  parameters: readonly Parameter[]
  body: { type: string; schema: Schema; required: boolean } | null
  /** By status, or `default`; a status without content has no body. */
  responses: ReadonlyMap<string, Schema>
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const

export function readOperations(document: unknown): Operation[] {
  const { paths = {} } = document as { paths?: Record<string, Record<string, RawOperation>> }
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const raw = item[method]
      return raw ? [operationOf(method.toUpperCase(), path, raw)] : []
    }),
  )
}

/** Holds answers against the schemas of the document. */
export class Published {
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: false })
  readonly #known = new Map<string, ValidateFunction>()

  constructor(document: unknown) {
    this.#ajv.addSchema(document as Schema, ROOT)
  }

  /** @returns what is not as it is published; null if nothing */
  fault(operation: Operation, answer: Answer): string | null {
    const { status, headers, json, text } = answer
    if (status >= 500) return `${status} ${text.slice(0, 200)}`
    const response = operation.responses.get(String(status)) ?? operation.responses.get('default')
    if (!response) return `${status} is not published: ${text.slice(0, 200)}`
    const content = response.content as Record<string, { schema?: Schema }> | undefined
    if (!content) return text === '' ? null : `${status} should have no body: ${text.slice(0, 100)}`
    const type = (headers.get('content-type') ?? '').split(';')[0]?.trim() ?? ''
    const media = content[type]
    if (!media) return `${status} is ${type}, and not ${Object.keys(content).join(' or ')}`
    if (!media.schema || !isJson(type)) return null
    const validate = this.#validate(`${operation.name} ${status} ${type}`, media.schema)
    if (validate(json)) return null
    const { instancePath, message } = validate.errors?.[0] ?? {}
    return `${status}: its body${instancePath} ${message}: ${text.slice(0, 300)}`
  }

  /** Whether a body is one that the schema takes; of what the rules in words say it knows nothing. */
  isOf(schema: Schema, value: unknown): boolean {
    return this.#validate(JSON.stringify(schema), schema)(value) === true
  }

  #validate(name: string, schema: Schema): ValidateFunction {
    const known = this.#known.get(name)
    if (known) return known
    const validate = this.#ajv.compile(rooted(schema) as Schema)
    this.#known.set(name, validate)
    return validate
  }
}

/** Lines of JSON are text. */
function isJson(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json')
}

const ROOT = 'openapi'

/** References of the document, from a schema that stands by itself. */
function rooted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rooted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      key === '$ref' && typeof each === 'string' ? `${ROOT}${each}` : rooted(each),
    ]),
  )
}

/** @returns the schema that a reference stands for */
export function resolve(document: unknown, schema: Schema): Schema {
  const { $ref } = schema
  if (typeof $ref !== 'string') return schema
  const found = $ref
    .replace(/^#\//, '')
    .split('/')
    .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document)
  return resolve(document, (found ?? {}) as Schema)
}

/** The names that a schema of an object knows, whichever of its forms it takes. */
export function propertiesOf(document: unknown, schema: Schema): ReadonlySet<string> {
  const {
    properties = {},
    anyOf = [],
    oneOf = [],
    allOf = [],
  } = resolve(document, schema) as {
    properties?: object
    anyOf?: Schema[]
    oneOf?: Schema[]
    allOf?: Schema[]
  }
  const inner = [...anyOf, ...oneOf, ...allOf].flatMap((each) => [...propertiesOf(document, each)])
  return new Set([...Object.keys(properties), ...inner])
}

type RawOperation = {
  parameters?: { name: string; in: Parameter['in']; required?: boolean; schema?: Schema }[]
  requestBody?: { required?: boolean; content: Record<string, { schema?: Schema }> }
  responses: Record<string, Schema>
}

function operationOf(method: string, path: string, raw: RawOperation): Operation {
  const [type, media] = Object.entries(raw.requestBody?.content ?? {})[0] ?? []
  return {
    name: `${method} ${path}`,
    method,
    path,
    parameters: (raw.parameters ?? []).map(({ required = false, schema = {}, ...rest }) => ({
      ...rest,
      required,
      schema,
    })),
    body:
      type === undefined
        ? null
        : { type, schema: media?.schema ?? {}, required: raw.requestBody?.required ?? false },
    responses: new Map(Object.entries(raw.responses)),
  }
}
