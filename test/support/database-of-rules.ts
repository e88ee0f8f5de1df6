/**
 * The only thing there is outside the worker in the tests in workerd, as long as a test puts
 * nothing else in place of `fetch`: a database with the rules that its first migrations leave.
 */
export async function databaseOfRules(request: {
  url: string
  text(): Promise<string>
}): Promise<Response> {
  if (!request.url.endsWith('/sql')) return new Response('nothing is here', { status: 502 })
  const { query, queries }: { query: string; queries?: { query: string }[] } = JSON.parse(
    await request.text(),
  )
  if (queries === undefined) return answerOfRules(query) ?? noSuchTable()
  const answers = queries.map((each) => answerOfRules(each.query) ?? noSuchTable())
  const refused = answers.find(({ ok }) => !ok)
  return (
    refused ?? Response.json({ results: await Promise.all(answers.map((each) => each.json())) })
  )
}

function noSuchTable(): Response {
  return new Response('there is no such table', { status: 502 })
}

/** @returns null if it is a statement of none of these: load-rows.ts, inbox-sweep.ts, keyring.ts, writing.ts */
export function answerOfRules(query: string): Response | null {
  if (query.includes('belfry.keyring()')) return answerWithRing({ keys: [], revoked: {} })
  if (/SELECT belfry\.(act|note_act)\(/.test(query)) return answerWithRows([{}])
  if (/AS overdue\s+LIMIT/.test(query)) return answerWithRows([])
  const asked = /^SELECT to_json\(t\)::text AS row FROM "(rules|webhook_endpoints)" t$/.exec(query)
  return asked && answerWithRows(asked[1] === 'rules' ? [orderFilledRule] : [])
}

/** @returns null if it is not the worker that notes what it is about to do: writing.ts */
export async function answerOfNotes(body: string): Promise<Response | null> {
  const { queries }: { queries?: { query: string }[] } = JSON.parse(body)
  if (!queries?.every(({ query }) => /SELECT belfry\.(act|note_act)\(/.test(query))) return null
  return Response.json({ results: await Promise.all(queries.map(() => answerWithRows([]).json())) })
}

/** As Neon answers keyring.ts. */
export function answerWithRing(ring: Ring): Response {
  const fields = [{ name: 'ring', dataTypeID: TEXT_TYPE }]
  const rows = [[JSON.stringify(ring)]]
  return Response.json({ fields, rows, command: 'SELECT', rowCount: 1, rowAsArray: true })
}

/** As `belfry.keyring()` has it; hashes in hex. */
export type Ring = {
  keys: { id: number; hash: string; scopes: string[]; expires_ms: number | null }[]
  revoked: { [principal: string]: number }
}

/** As Neon answers load-rows.ts. */
export function answerWithRows(table: readonly object[]): Response {
  const rows = table.map((row) => [JSON.stringify(row)])
  const fields = [{ name: 'row', dataTypeID: TEXT_TYPE }]
  return Response.json({ fields, rows, command: 'SELECT', rowCount: rows.length, rowAsArray: true })
}

const TEXT_TYPE = 25

/** As migration 0007 inserts it. */
export const orderFilledRule = {
  id: 1,
  name: 'order-filled',
  channel: 'mail',
  table: 'orders',
  ops: ['insert', 'update'],
  when: { status: { became: ['filled'] } },
  template: 'order-filled',
  category: 'orders',
  recipients: [{ setting: 'ALERT_RECIPIENTS' }, { column: 'customer_email' }],
  endpoint: null,
  enabled: true,
  version: 1,
  created_at: '2026-11-21T08:00:00.000000+00:00',
  updated_at: '2026-11-21T08:00:00.000000+00:00',
}
