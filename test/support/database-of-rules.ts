/**
 * The only thing there is outside the worker in the tests in workerd, as long as a test puts
 * nothing else in place of `fetch`: a database with the rules that its first migrations leave.
 */
export async function databaseOfRules(request: {
  url: string
  text(): Promise<string>
}): Promise<Response> {
  if (!request.url.endsWith('/sql')) return new Response('nothing is here', { status: 502 })
  const { query } = JSON.parse(await request.text())
  return answerOfRules(query) ?? new Response('there is no such table', { status: 502 })
}

/** @returns null if it is another statement than the feed asks: load-rows.ts, inbox-sweep.ts */
export function answerOfRules(query: string): Response | null {
  if (/AS overdue\s+LIMIT/.test(query)) return answerWithRows([])
  const asked = /^SELECT to_json\(t\)::text AS row FROM "(rules|webhook_endpoints)" t$/.exec(query)
  return asked && answerWithRows(asked[1] === 'rules' ? [orderFilledRule] : [])
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
