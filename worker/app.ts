import { OpenAPIHono } from '@hono/zod-openapi'
import { admin } from './api/admin.ts'
import { adminOnly } from './api/admin-token.ts'
import { changes } from './api/changes.ts'
import { emails } from './api/emails.ts'
import { inboxStream } from './api/inbox-stream.ts'
import { link } from './api/link.ts'
import { mailRules } from './api/mail-rules.ts'
import { mailSuppressions } from './api/mail-suppressions.ts'
import { mailTemplates } from './api/mail-templates.ts'
import { me } from './api/me.ts'
import { anyOrigin, usersOnly } from './api/me-door.ts'
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
import { orders } from './api/orders.ts'
import { parked } from './api/parked.ts'
import { notFound, onError, otherMethods, problem } from './api/problem.ts'
import { providerWebhook } from './api/provider-webhook.ts'
import { isUpgrade } from './api/refusal.ts'
import { countProblems } from './api/refusal-count.ts'
import { usersKeepOut } from './api/staff-guard.ts'
import { status } from './api/status.ts'
import { tables } from './api/tables.ts'
import { unsubscribe } from './api/unsubscribe.ts'
import { users } from './api/users.ts'
import { webhookDeliveries } from './api/webhook-deliveries.ts'
import { webhooks } from './api/webhooks.ts'
import type { Env } from './env.ts'

/** Everything the worker answers, in one place. Durable Objects have no other public door. */
export const app = new OpenAPIHono<{ Bindings: Env }>()

app.onError(onError)
app.notFound(notFound)
app.use(countProblems)
app.use('/api/me/*', anyOrigin)
app.use(otherMethods(app))
app.use(usersKeepOut)
app.use('/api/me/*', usersOnly)
app.use('/api/admin/*', adminOnly)
app.use('/api/webhooks/*', adminOnly)
app.use('/api/users/*', adminOnly)
app.use('/api/notifications/*', adminOnly)
app.use('/api/notification-categories/*', adminOnly)
app.use('/api/notification-rules/*', adminOnly)

app.route('/', changes)
app.route('/', tables)
app.route('/', orders)
app.route('/', emails)
app.route('/', mailRules)
app.route('/', mailTemplates)
app.route('/', mailSuppressions)
app.route('/', unsubscribe)
app.route('/', providerWebhook)
app.route('/', status)
app.route('/', metrics)
app.route('/', admin)
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

app.doc31('/openapi.json', {
  openapi: '3.1.0',
  info: {
    title: 'Belfry',
    version: '0.1.0',
    description: 'Postgres changes, heard everywhere: once, in order, at once.',
  },
})
