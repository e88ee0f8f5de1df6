import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { type SQL, sql } from 'drizzle-orm'
import type { NeonHttpDatabase } from 'drizzle-orm/neon-http'
import { deliveryStates } from '../../protocol/delivery-states.ts'
import type { DeliveryFilter, DeliveryPage, DeliveryReport } from '../courier/delivery.ts'
import { auditEntry } from './audit.ts'
import { listAudit } from './audit-store.ts'
import { type DatabaseEnv, database } from './database.ts'
import { oneJson } from './me-store.ts'
import { order, orderId } from './order-schemas.ts'
import { findOrder } from './order-store.ts'
import { versionsOf } from './order-versions.ts'
import { defaultHook, problem, problemResponses } from './problem.ts'

/**
 * The life of an order (P104): each version and who made it, who was told, and by which mail.
 *
 * The audit is authoritative on who, the rows of notifications on who was told, the mailer's ledger
 * on what was mailed; here they are put beside each other, as each of them is at that moment.
 */
export const orderLife = new OpenAPIHono<{ Bindings: Needed }>({ defaultHook })

/** Of env.ts. */
type Needed = DatabaseEnv & { MAILER: { getByName(name: string): Ledger } }
type Ledger = {
  list(filter: DeliveryFilter, limit: number, before: number | null): Promise<DeliveryPage>
}

/** What is older stands in the lists: audit, notifications, emails. */
const MOST_VERSIONS = 500
const MOST_NOTIFICATIONS = 200
const MOST_MAILS = 200
/** Of so many notifications it is also said which mails they became. */
const MOST_MAILED = 20

const { at, request, action, changed, name } = auditEntry.shape

const version = z
  .object({
    version: z.int().nullable().openapi({ description: 'null of a deletion.', example: 3 }),
    at,
    by: auditEntry.shape.principal,
    name,
    request,
    action,
    changed,
  })
  .openapi('OrderVersion')

const gap = z
  .object({
    versions: z.tuple([z.int(), z.int()]).openapi({
      description: 'The first and the last of them.',
      example: [3, 5],
    }),
    by: z.literal('sql'),
  })
  .openapi('OrderVersionsBySql', { description: 'Versions that were not made over the API.' })

const ofVersion = z.int().nullable().openapi({
  description: 'Of which version, where that is known.',
  example: 3,
})

const toldInApp = z.object({
  id: z.int().openapi({ example: 912 }),
  user: z.int().openapi({ example: 42 }),
  title: z.string().openapi({ example: 'Your order was shipped' }),
  state: z.string().openapi({ example: 'delivered' }),
  delivered_at: z.string().nullable().openapi({ format: 'date-time' }),
  version: ofVersion,
})

const toldByMail = z.object({
  id: z.int().openapi({ example: 57 }),
  recipient: z.string().openapi({ example: 'ada@example.com' }),
  state: z.enum(deliveryStates),
  rule: z.string().openapi({ description: 'The rule that owes it.', example: 'order-filled' }),
  change: z.uuid().openapi({ description: 'The change that owes it.' }),
  notification: z.int().nullable().openapi({ description: 'Of which it is the mail, if of one.' }),
  version: ofVersion,
  at: z.string().openapi({ format: 'date-time', description: 'When it was sent, or else owed.' }),
})

const life = z
  .object({
    order: z.union([order, z.null()]).openapi({ description: 'As it is now; null if it is gone.' }),
    versions: z.array(z.union([version, gap])).openapi({ description: 'The oldest first.' }),
    notifications: z.array(toldInApp).openapi({ description: 'The oldest first.' }),
    mails: z.array(toldByMail).openapi({ description: 'The oldest first.' }),
  })
  .openapi('OrderLife')

const read = createRoute({
  method: 'get',
  path: '/api/orders/{id}/life',
  tags: ['Orders'],
  summary: 'Read the life of an order',
  description: `Its versions and who made them, who was told of them, and by which mail. Also of an order that is gone, if it was ever changed over the API; one whose last entry is no deletion was deleted by SQL. The newest ${MOST_VERSIONS} versions, ${MOST_NOTIFICATIONS} notifications and ${MOST_MAILS} mails; what is older, GET /api/audit, /api/notifications and /api/emails list.`,
  request: { params: orderId },
  responses: {
    200: { description: 'Its life.', content: { 'application/json': { schema: life } } },
    ...problemResponses('invalid_id', 'not_found', 'database_unavailable'),
  },
})

orderLife.openapi(read, async (c) => {
  const { id } = c.req.valid('param')
  const db = database(c.env)
  const key = String(id)
  const [row, entries, told, mailed] = await Promise.all([
    findOrder(db, id),
    listAudit(db, { table: 'orders', key }, MOST_VERSIONS + 1, null),
    notificationsOf(db, key),
    mailsOf(c.env, 'orders', key, MOST_MAILS),
  ])
  if (!row && entries.length === 0)
    return problem(c, 'not_found', {
      detail: `There is no order ${id}, and nothing is known of one.`,
    })
  const isWhole = entries.length <= MOST_VERSIONS
  const versions = versionsOf(entries.slice(0, MOST_VERSIONS), row?.version ?? null, isWhole)
  const notifications = told.map(({ change: _, ...notification }) => notification)
  const versionOfChange = new Map(told.map(({ change, version }) => [change, version]))
  const mails = [
    ...mailed.map((mail) => sayMail(mail, null, versionOfChange.get(mail.change) ?? null)),
    ...(await mailsOfNotifications(c.env, told)),
  ].sort((a, b) => a.id - b.id)
  return c.json({ order: row ?? null, versions, notifications, mails }, 200)
})

type Told = z.infer<typeof toldInApp> & { change: string }

/** Those that a rule has written of it, the oldest first. */
async function notificationsOf(db: NeonHttpDatabase, key: string): Promise<Told[]> {
  return oneJson(
    db,
    sql`SELECT coalesce(json_agg(to_json(t) ORDER BY t.id), '[]')::text AS json
          FROM (SELECT n.id, n.user_id AS user, n.title, n.state, n.delivered_at,
                       nullif(${part(6)}, '')::integer AS version, ${part(2)} AS change
                  FROM (SELECT set_config('timezone', 'UTC', true) <> '' AS done) AS settings
                 CROSS JOIN public.notifications n
                 WHERE settings.done AND n.origin IS NOT NULL AND ${part(4)} = 'orders' AND ${part(5)} = ${key}
                 ORDER BY n.id DESC LIMIT ${MOST_NOTIFICATIONS}) AS t`,
  )
}

/** Of an origin, as worker/notices/owed.ts makes it; as the index of migration 0009 has it. */
function part(place: 2 | 4 | 5 | 6): SQL {
  return sql`split_part(n.origin, '/', ${sql.raw(String(place))})`
}

async function mailsOfNotifications(env: Needed, told: readonly Told[]) {
  const mails = told.slice(-MOST_MAILED).map(async ({ id, version }) => {
    const found = await mailsOf(env, 'notifications', String(id), MOST_MAILS)
    return found.map((mail) => sayMail(mail, id, version))
  })
  return (await Promise.all(mails)).flat()
}

async function mailsOf(
  env: Needed,
  table: string,
  key: string,
  limit: number,
): Promise<DeliveryReport[]> {
  const { deliveries } = await env.MAILER.getByName('main').list({ table, key }, limit, null)
  return deliveries
}

function sayMail(
  { id, recipient, state, rule_name, change, sent_at, created_at }: DeliveryReport,
  notification: number | null,
  version: number | null,
): z.infer<typeof toldByMail> {
  const at = sent_at ?? created_at
  return { id, recipient, state, rule: rule_name, change, notification, version, at }
}
