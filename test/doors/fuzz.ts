import fc from 'fast-check'
import { type Answer, ask } from './answer.ts'
import { arbitraryOf } from './arbitrary-of-schema.ts'
import { type Attack, inParallel } from './attack.ts'
import { curlOf } from './curl.ts'
import { mutate, mutation } from './mutation.ts'
import { type Operation, type Parameter, Published } from './published.ts'
import { secrets } from './settings.ts'
import type { World } from './world.ts'

/**
 * Requests made of the published schemas themselves, valid ones and ones with something wrong, to
 * every operation, as somebody who may do everything. Whatever is asked, no answer is a 5xx, and
 * each has a status and a body that are published for it.
 */
const REQUESTS = 3_200
const LEAST_EACH = 24
const AT_ONCE = 6
const SHRINK_MS = 5_000

/** Beginning a new epoch takes the log from under all that follows. */
const LEFT_OUT = new Set(['POST /api/admin/feed/epoch'])

export const fuzz: readonly Attack[] = [
  {
    id: 'fuzz.openapi',
    owasp: 'API8',
    what: `${REQUESTS.toLocaleString('en')} requests or more, made from /openapi.json itself`,
    how: fuzzAll,
    expected: /^\d+ requests to \d+ operations, \d+ of them done: each answer as published$/,
  },
]

type Sent = {
  path: string
  method: string
  headers: Record<string, string>
  raw: string | null
}

async function fuzzAll(world: World): Promise<string> {
  const published = new Published(world.document)
  const operations = world.operations.filter(({ name }) => !LEFT_OUT.has(name))
  const each = Math.max(LEAST_EACH, Math.ceil(REQUESTS / operations.length))
  const known = await knownValues(world)
  let requests = 0
  let done = 0
  const check = async (operation: Operation) => {
    let last: { sent: Sent; fault: string } | null = null
    const property = fc.asyncProperty(requestTo(world, operation, known), async (sent) => {
      const fault = await faultOf(world, published, operation, sent, (answer) => {
        requests++
        if (answer.status < 300) done++
      })
      if (fault !== null) last = { sent, fault }
      return fault === null
    })
    const { failed } = await fc.check(property, {
      seed: world.seed,
      numRuns: each,
      interruptAfterTimeLimit: 30_000,
      ...{ endOnFailure: false, maxSkipsPerRun: 100, timeout: SHRINK_MS * 4 },
    })
    const found = last as { sent: Sent; fault: string } | null
    return failed && found
      ? `${operation.name}: ${found.fault}\n      ${curlOf(world.url, found.sent)}`
      : null
  }
  const faults = (await inParallel(operations, check, AT_ONCE)).filter((fault) => fault !== null)
  return faults.length === 0
    ? `${requests} requests to ${operations.length} operations, ${done} of them done: each answer as published`
    : `seed ${world.seed}: ${faults.length} operations answered as it is not published\n    ${faults.join('\n    ')}`
}

async function faultOf(
  world: World,
  published: Published,
  operation: Operation,
  { path, method, headers, raw }: Sent,
  count: (answer: Answer) => void,
): Promise<string | null> {
  try {
    const answer = await ask(`${world.url}${path}`, {
      method,
      headers,
      ...(raw === null ? {} : { raw }),
    })
    count(answer)
    return published.fault(operation, answer)
  } catch (error) {
    return `no answer: ${error instanceof Error ? `${error.message} ${error.cause ?? ''}` : error}`
  }
}

function requestTo(world: World, operation: Operation, known: Known): fc.Arbitrary<Sent> {
  const { method, body, parameters, path } = operation
  const of = (where: Parameter['in']) => parameters.filter((each) => each.in === where)
  const values = (list: readonly Parameter[]) =>
    fc.record(
      Object.fromEntries(
        list.map((each) => [each.name, parameterOf(world.document, operation, each, known)]),
      ),
      { requiredKeys: list.filter(({ required }) => required).map(({ name }) => name) },
    )
  const bodies = body
    ? fc
        .tuple(arbitraryOf(world.document, body.schema), mutation)
        .map(([value, how]) => mutate(value, how))
    : fc.constant(null)
  const isMine = path.startsWith('/api/me')
  const bearer = isMine ? world.people.ada.token : secrets.ADMIN_TOKEN
  return fc
    .tuple(values(of('path')), values(of('query')), values(of('header')), bodies)
    .map(([inPath, inQuery, inHeader, raw]) => ({
      method,
      path: filledIn(path, inPath) + queryOf(inQuery),
      headers: {
        authorization: `Bearer ${bearer}`,
        ...(raw === null ? {} : { 'content-type': body?.type ?? 'application/json' }),
        ...headersOf(inHeader),
      },
      raw,
    }))
}

function parameterOf(
  document: unknown,
  { path }: Operation,
  { name, in: where, schema }: Parameter,
  known: Known,
): fc.Arbitrary<string> {
  const made = arbitraryOf(document, { type: 'object', properties: { v: schema }, required: ['v'] })
  const fromSchema = made.map((holder) => textOf((holder as { v: unknown }).v))
  const values =
    where === 'path' ? known.inPath(path, name) : (known.byName[name.toLowerCase()] ?? [])
  const stumbles = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.constantFrom('', '0', '-1', '9'.repeat(30), 'null', '%00', "'", '1,2', 'NaN', ' '),
  )
  return fc.oneof(
    { weight: 6, arbitrary: values.length > 0 ? fc.constantFrom(...values) : fromSchema },
    { weight: 3, arbitrary: fromSchema },
    { weight: where === 'header' ? 0 : 1, arbitrary: stumbles },
  )
}

type Known = {
  inPath: (path: string, name: string) => readonly string[]
  byName: Readonly<Record<string, readonly string[]>>
}

/** Without them nearly all would be 404, or refused for a version that nothing has. */
async function knownValues({ sql, people }: World): Promise<Known> {
  const ids = async (text: string) =>
    (await sql.query<{ id: string }>(text)).rows.map(({ id }) => String(id))
  const byPrefix: Readonly<Record<string, readonly string[]>> = {
    '/api/orders': await ids('SELECT id FROM orders ORDER BY id LIMIT 20'),
    '/api/me/notifications': [String(people.ada.notification)],
    '/api/notifications': await ids('SELECT id FROM notifications ORDER BY id DESC LIMIT 20'),
    // Ada herself stays: it is she who asks at /api/me.
    '/api/users': await ids(`SELECT id FROM users WHERE id <> ${people.ada.id} LIMIT 20`),
    '/api/webhooks': await ids('SELECT id FROM webhook_endpoints LIMIT 20'),
    '/api/mail-rules': await ids(`SELECT id FROM rules WHERE channel = 'mail' LIMIT 20`),
    '/api/notification-rules': await ids(`SELECT id FROM rules WHERE channel = 'inbox' LIMIT 20`),
    '/api/tables': ['orders', 'users', 'rules', 'notifications'],
    '/api/notification-categories': ['general', 'orders', 'ünï'],
    '/api/mail-templates': ['order-filled', 'order-status', 'row-changed'],
  }
  return {
    inPath: (path) =>
      Object.entries(byPrefix).find(([prefix]) => path.startsWith(`${prefix}/`))?.[1] ?? [
        '1',
        '57',
      ],
    byName: {
      'if-match': ['*', '"1"', '"2"', 'W/"1"', '"1", "2"'],
      'idempotency-key': ['k1', 'k2', 'k3', 'ä', 'x'.repeat(300)],
      table: ['orders', 'users', 'no-such-table'],
      after: ['0', '1', '999999'],
      limit: ['1', '100', '0', '1001'],
      cursor: ['e30', 'x.y', 'W10'],
    },
  }
}

function filledIn(path: string, values: Record<string, string>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const text = encode(values[name] ?? '')
    // A path without a part is another path.
    return text === '' || text === '.' || text === '..' ? '0' : text
  })
}

function queryOf(values: Record<string, string>): string {
  const pairs = Object.entries(values).map(([name, text]) => `${encode(name)}=${encode(text)}`)
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

/** Only what a client can send at all in a header. */
function headersOf(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, text]) => [
      name,
      text.replace(/[^\x20-\x7e\xa0-\xff]/g, '?').trim(),
    ]),
  )
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
