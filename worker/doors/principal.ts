import { z } from 'zod'

/**
 * Who asks.
 *
 * The credential is authoritative, and is verified once, at the door (credential.ts). Must hold:
 * `name` means the same one for ever, for the audit, the limits and revocations go by it; whoever
 * sends nothing is `anyone` and has no more scopes than the setting ANONYMOUS_SCOPES gives.
 *
 * | name           | who                                                              | opens                  |
 * |----------------|------------------------------------------------------------------|------------------------|
 * | `user:42`      | a token whose `sub` is that user's, whatever scopes it has       | /api/me, its scopes    |
 * | `token:<sub>`  | a token of whoever signs in, who is no user of ours              | its scopes             |
 * | `key:7`        | an API key                                                       | its scopes             |
 * | `operator`     | `ADMIN_TOKEN`                                                    | all but /api/me        |
 * | `anyone`       | nobody said                                                      | ANONYMOUS_SCOPES       |
 */
export const principal = z.object({
  name: z.string(),
  kind: z.enum(['user', 'token', 'key', 'operator', 'anyone']),
  /** `users.id` as text: whose inbox and orders it opens. */
  user: z.string().nullable(),
  scopes: z.array(z.string()).readonly(),
  /** Milliseconds since 1970; null: it does not end by itself. */
  expiresAt: z.number().nullable(),
  /** Milliseconds since 1970; null: of keys, which are revoked as a whole. */
  issuedAt: z.number().nullable(),
})
export type Principal = z.infer<typeof principal>

/**
 * `admin`: everything, the scopes below too. `orders:write`: the orders API. `<table>:read`: that
 * watched table, its rows and its changes; `*:read`: every one but Belfry's own.
 */
export const SCOPE = /^(admin|orders:write|\*:read|[^\s:*]{1,255}:read)$/

export function mayWriteOrders({ scopes }: Principal): boolean {
  return scopes.includes('admin') || scopes.includes('orders:write')
}

export function isAdmin({ scopes }: Principal): boolean {
  return scopes.includes('admin')
}

/** `every`: all watched tables, Belfry's own among them only for an admin. */
export function readableTables({ scopes }: Principal): 'every' | ReadonlySet<string> {
  if (scopes.includes('admin') || scopes.includes('*:read')) return 'every'
  return new Set(
    scopes
      .filter((scope) => scope.endsWith(':read'))
      .map((scope) => scope.slice(0, -':read'.length)),
  )
}
