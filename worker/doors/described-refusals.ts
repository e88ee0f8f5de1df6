import { type ProblemCode, problems } from '../../protocol/problems.ts'
import { isCounted } from './admit.ts'
import { methods, routeOf } from './described.ts'
import { permissionOf } from './permissions.ts'

/**
 * What the doors answer in place of a route, said of every operation of the OpenAPI document here
 * and in no route: that is the document's promise that no answer is outside of it. The whole table
 * of problems is published with it, as `x-problems`.
 */
type Document = {
  paths?: { [path: string]: object }
  components?: { headers?: object }
}

type Operation = {
  requestBody?: { content?: object }
  responses: { [status: string]: Described }
}
type Described = { description: string; headers?: object; content?: object }

export function describeRefusals<D extends Document>(document: D): D {
  for (const [path, operations] of Object.entries(document.paths ?? {}))
    for (const method of methods) {
      const operation = (operations as { [method: string]: Operation })[method]
      if (operation === undefined) continue
      for (const code of refusalsAt(method, path, operation)) addProblem(operation, code)
      addHeaders(operation, isCounted(path))
    }
  document.components = { ...document.components, headers }
  return Object.assign(document, { 'x-problems': problems })
}

function refusalsAt(
  method: string,
  path: string,
  { requestBody, responses }: Operation,
): ProblemCode[] {
  const permission = permissionOf(method.toUpperCase(), routeOf(path))
  return [
    ...(permission === 'open' ? [] : ofIdentity),
    ...(method === 'get' ? [] : (['origin_refused'] as const)),
    ...(requestBody?.content && 'application/json' in requestBody.content ? ofBodies : []),
    ...('101' in responses ? (['upgrade_required'] as const) : []),
    'rate_limited',
    'internal',
  ]
}

const ofBodies = [
  'invalid_body',
  'too_slow',
  'body_too_large',
  'unsupported_media_type',
] as const satisfies ProblemCode[]

const ofIdentity = [
  'unauthorized',
  'forbidden',
  'not_configured',
  'sign_in_unavailable',
  'database_unavailable',
] as const satisfies ProblemCode[]

function addProblem({ responses }: Operation, code: ProblemCode): void {
  const { status, title } = problems[code]
  const line = `\`${code}\`: ${title}.`
  const described = responses[status]
  const content = {
    'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
  }
  if (described === undefined) responses[status] = { description: line, content }
  else if (!described.description.includes(`\`${code}\``))
    responses[status] = {
      ...described,
      description: `${described.description}\n\n${line}`,
      content: { ...described.content, ...content },
    }
}

const headers = {
  'X-Request-Id': header('What the log knows the request by.', 'uuid'),
  RateLimit: header('How much may still be asked, and in how many seconds all of it again.'),
  'RateLimit-Policy': header('How much may be asked, in how many seconds.'),
  'Retry-After': header('In how many seconds to ask again.'),
}
type Header = keyof typeof headers

function addHeaders({ responses }: Operation, counted: boolean): void {
  for (const [status, described] of Object.entries(responses)) {
    const names: Header[] = [
      'X-Request-Id',
      ...(counted ? (['RateLimit', 'RateLimit-Policy'] as const) : []),
      ...(status === '429' ? (['Retry-After'] as const) : []),
    ]
    const named = names.map((name) => [name, { $ref: `#/components/headers/${name}` }] as const)
    responses[status] = {
      ...described,
      headers: { ...described.headers, ...Object.fromEntries(named) },
    }
  }
}

function header(description: string, format?: string): object {
  return { description, schema: { type: 'string', ...(format && { format }) } }
}
