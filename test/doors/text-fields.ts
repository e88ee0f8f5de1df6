import type { Answer } from './answer.ts'
import type { World } from './world.ts'

/** A field of text: how it is written, and where what was written stands afterwards. */
export type Field = {
  id: string
  what: string
  /** @returns the path that is written to, once what it needs is there */
  begin: (world: World) => Promise<string>
  send: (world: World, path: string, text: string, n: number) => Promise<Answer>
  /** The text as the rule of the field takes it: blanks around it may not count. */
  settle: (text: string) => string
  /** Of the answer: the text, and what the rows of `stored` know it by. */
  back: (json: unknown) => unknown
  key: (answer: Answer) => string
  /** SQL: `key` and `text` of the keys $1. */
  stored: string
  /** Of the inserts of a watched table, by its id. */
  feed: { table: string; back: (image: unknown) => unknown } | null
}

const same = (text: string) => text
const trimmed = (text: string) => text.trim()
const at =
  (...names: (string | number)[]) =>
  (value: unknown) =>
    names.reduce<unknown>((inner, name) => (inner as Record<string | number, unknown>)[name], value)

const order = { customer_name: 'Ada', product_name: 'A bell', amount: 1 }
const told = { user_id: 72, title: 'A bell' }
const mailRule = {
  ...{ table: 'orders', template: 'order-status', enabled: false },
  recipients: [{ column: 'customer_email' }],
}
const inboxRule = { table: 'orders', enabled: false, recipients: [{ user: 'customer_id' }] }

export const fields: readonly Field[] = [
  {
    ...created('orders', 'product_name', (text) => ({
      ...order,
      customer_name: text,
      product_name: text,
    })),
    what: 'customer_name and product_name of orders',
    // Only if both have it is it there.
    stored: `SELECT id::text AS key, product_name AS text FROM orders
              WHERE id::text = ANY ($1) AND product_name = customer_name`,
  },
  created('orders', 'customer_email', (text) => ({ ...order, customer_email: text }), same),
  changed('users', 'name', async () => '/api/users/72', trimmed),
  created('users', 'email', (text) => ({ name: 'Ada', email: text })),
  created('users', 'time_zone', (text) => ({ name: 'Ada', time_zone: text }), same),
  notification('title', (text) => ({ title: text }), trimmed),
  notification('content', (text) => ({ content: { text, [text]: [text] } }), same, 'text'),
  notification('category', (text) => ({ category: text }), same),
  notification('link', (text) => ({ link: text }), same),
  {
    ...created('mail-rules', 'name', (text) => ({ ...mailRule, name: text }), same),
    ...inRules('name'),
  },
  {
    ...created(
      'mail-rules',
      'when',
      (text, n) => ({
        ...{ ...mailRule, name: `naughty-when-${n}`, when: { status: { is: [text] } } },
      }),
      same,
    ),
    ...inRules(`"when"->'status'->'is'->>0`),
    back: at('when', 'status', 'is', 0),
  },
  {
    ...created('notification-rules', 'title', (text, n) => ({
      ...{ ...inboxRule, name: `naughty-${n}`, notification: { title: text } },
    })),
    ...inRules(`notification->>'title'`),
    back: at('notification', 'title'),
  },
  {
    ...created('keys', 'name', (text) => ({ name: text, scopes: ['orders:read'] })),
    stored: 'SELECT id::text AS key, name AS text FROM belfry.api_keys WHERE id::text = ANY ($1)',
    feed: null,
  },
  // Each endpoint has an object of its own, so one is changed over and over.
  changed('webhooks', 'description', newWebhook, trimmed),
  {
    ...changed(
      'notification-categories',
      'description',
      async () => '/api/notification-categories/naughty',
      same,
    ),
    send: (world, path, text) =>
      world.order(path, { method: 'PUT', body: { description: text }, headers: ANY_VERSION }),
  },
]

const ANY_VERSION = { 'if-match': '*' }

function created(
  name: string,
  column: string,
  body: (text: string, n: number) => object,
  settle = trimmed,
): Field {
  return {
    ...{ id: `${name}.${column}`, what: `${column} of ${name}`, settle },
    begin: async () => `/api/${name}`,
    send: (world, path, text, n) => world.order(path, { method: 'POST', body: body(text, n) }),
    back: at(column),
    key: ({ json }) => String(at('id')(json)),
    stored: `SELECT id::text AS key, ${column} AS text FROM ${name} WHERE id::text = ANY ($1)`,
    feed: { table: name, back: at(column) },
  }
}

/** What one row had after each request, as the audit has it. */
function changed(
  name: string,
  column: string,
  begin: Field['begin'],
  settle: Field['settle'],
): Field {
  return {
    ...{ id: `${name}.${column}`, what: `${column} of ${name}`, settle, begin },
    send: (world, path, text) =>
      world.order(path, { method: 'PATCH', body: { [column]: text }, headers: ANY_VERSION }),
    back: at(column),
    key: ({ headers }) => headers.get('x-request-id') ?? '',
    stored: `SELECT request AS key, changed->'${column}'->>1 AS text FROM belfry.audit
              WHERE request = ANY ($1) AND changed ? '${column}'`,
    feed: null,
  }
}

/** Its answer says only how many were told, so it is read by its id. */
function notification(
  column: string,
  body: (text: string) => object,
  settle: Field['settle'],
  within?: string,
): Field {
  const back = within === undefined ? at(column) : at(column, within)
  return {
    ...created('notifications', column, () => ({}), settle),
    send: async (world, path, text) => {
      const answer = await world.order(path, { method: 'POST', body: { ...told, ...body(text) } })
      return answer.status === 201 ? world.order(`${path}/${at('ids', 0)(answer.json)}`) : answer
    },
    back,
    ...(within !== undefined && {
      stored: `SELECT id::text AS key, ${column}->>'${within}' AS text FROM notifications
                WHERE id::text = ANY ($1)`,
    }),
    feed: { table: 'notifications', back },
  }
}

function inRules(column: string): Pick<Field, 'stored' | 'feed'> {
  return {
    stored: `SELECT id::text AS key, ${column} AS text FROM rules WHERE id::text = ANY ($1)`,
    feed: null,
  }
}

async function newWebhook(world: World): Promise<string> {
  const body = {
    url: 'https://8.8.8.8/x',
    description: 'at first',
    rules: [{ table: 'orders', ops: ['truncate'] }],
  }
  const answer = await world.order('/api/webhooks', { method: 'POST', body })
  return `/api/webhooks/${at('id')(answer.json)}`
}
