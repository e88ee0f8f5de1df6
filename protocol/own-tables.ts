/**
 * Tables of Belfry's own. Their changes go the same way as any, but only to those who run it: they
 * hold who is told what, and where. The feed's other readers do not hear of them.
 */
export const ownTables: ReadonlySet<string> = new Set([
  'rules',
  'webhook_endpoints',
  'users',
  'preferences',
  'notifications',
  'revocations',
])
