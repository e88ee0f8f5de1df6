/**
 * Variables of a worker whose doors stand open, for tests and measurements of what is behind them:
 * anyone reads every table and writes orders, as often as they like.
 */
export const OPEN_DOORS = {
  ANONYMOUS_SCOPES: '*:read orders:write',
  RATE_LIMIT_ANYONE: '0',
  RATE_LIMIT_USER: '0',
  RATE_LIMIT_STAFF: '0',
} as const
