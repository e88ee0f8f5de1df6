import { OpenAPIHono } from '@hono/zod-openapi'
import { admin } from './api/admin.ts'
import { audit } from './api/audit.ts'
import { changes } from './api/changes.ts'
import { emails } from './api/emails.ts'
import { inboxStream } from './api/inbox-stream.ts'
import { keys } from './api/keys.ts'
import { link } from './api/link.ts'
import { mailRules } from './api/mail-rules.ts'
import { mailSuppressions } from './api/mail-suppressions.ts'
import { mailTemplates } from './api/mail-templates.ts'
import { me } from './api/me.ts'
import { meMarks } from './api/me-marks.ts'
import { meNotifications } from './api/me-notifications.ts'
import { meOrders } from './api/me-orders.ts'
import { mePreferences } from './api/me-preferences.ts'
import { meTickets } from './api/me-tickets.ts'
import { metrics } from './api/metrics.ts'
import { notificationCategories } from './api/notification-categories.ts'
import { notificationRedrive } from './api/notification-redrive.ts'
import { notificationRules } from './api/notification-rules.ts'
import { notifications } from './api/notifications.ts'
import { orderLife } from './api/order-life.ts'
import { orders } from './api/orders.ts'
import { parked } from './api/parked.ts'
import { notFound, onError, otherMethods, problem } from './api/problem.ts'
import { providerWebhook } from './api/provider-webhook.ts'
import { isUpgrade } from './api/refusal.ts'
import { countProblems } from './api/refusal-count.ts'
import { revocations } from './api/revocations.ts'
import { status } from './api/status.ts'
import { tables } from './api/tables.ts'
import { tickets } from './api/tickets.ts'
import { unsubscribe } from './api/unsubscribe.ts'
import { users } from './api/users.ts'
import { webhookDeliveries } from './api/webhook-deliveries.ts'
import { webhooks } from './api/webhooks.ts'
import { admit } from './doors/admit.ts'
import { describeDoors } from './doors/described.ts'
import { describeRefusals } from './doors/described-refusals.ts'
import { edgeLimit } from './doors/edge-limit.ts'
import { guard } from './doors/guard.ts'
import { identify } from './doors/identify.ts'
import { origins } from './doors/origins.ts'
import { requestId } from './doors/request-id.ts'
import { securityHeaders } from './doors/security-headers.ts'
import type { Served } from './doors/served.ts'

/** Everything the worker answers, in one place. Durable Objects have no other public door. */
export const app = new OpenAPIHono<Served>()

app.onError(onError)
app.notFound(notFound)
app.use(requestId)
app.use(securityHeaders)
app.use(countProblems)
app.use(edgeLimit)
app.use(otherMethods(app))
app.use(origins)
app.use(identify)
app.use(admit)
app.use(guard)

app.route('/', changes)
app.route('/', tables)
app.route('/', orders)
app.route('/', orderLife)
app.route('/', audit)
app.route('/', emails)
app.route('/', mailRules)
app.route('/', mailTemplates)
app.route('/', mailSuppressions)
app.route('/', unsubscribe)
app.route('/', providerWebhook)
app.route('/', status)
app.route('/', metrics)
app.route('/', admin)
app.route('/', keys)
app.route('/', revocations)
app.route('/', tickets)
app.route('/', parked)
app.route('/', webhooks)
app.route('/', webhookDeliveries)
app.route('/', users)
app.route('/', notificationRedrive)
app.route('/', notifications)
app.route('/', notificationCategories)
app.route('/', notificationRules)
app.route('/', me)
app.route('/', inboxStream)
app.route('/', meNotifications)
app.route('/', meMarks)
app.route('/', mePreferences)
app.route('/', meTickets)
app.route('/', meOrders)

app.get('/link', async (c) => (isUpgrade(c.req.raw) ? link(c) : problem(c, 'upgrade_required')))

app.get('/openapi.json', (c) => c.body(documentOf(), 200, { 'content-type': 'application/json' }))

/** Made once in each isolate, for that takes tens of milliseconds. */
let document: string | null = null

function documentOf(): string {
  document ??= JSON.stringify(
    describeRefusals(
      describeDoors(
        app.getOpenAPI31Document({
          openapi: '3.1.0',
          info: {
            title: 'Belfry',
            version: '0.1.0',
            description: 'Postgres changes, heard everywhere: once, in order, at once.',
          },
        }),
      ),
    ),
  )
  return document
}
