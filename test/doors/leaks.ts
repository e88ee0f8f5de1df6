import { readFileSync } from 'node:fs'
import type { Attack } from './attack.ts'
import { secrets } from './settings.ts'

/** What is left behind by all that came before. */
export const leaks: readonly Attack[] = [
  {
    id: 'leaks.logs',
    owasp: 'API8',
    what: 'Secrets, tokens, keys and tickets in the logs of this run',
    expected: 'none',
    how: async ({ logFiles, people }) => {
      const text = logFiles.map((file) => readFileSync(file, 'utf8')).join('\n')
      const known = [
        ...Object.values(secrets),
        ...Object.values(people.credentials).filter(
          (each): each is string => (each?.length ?? 0) > 35,
        ),
      ]
      const found = known
        .filter((each) => text.includes(each))
        .map((each) => `${each.slice(0, 10)}…`)
      const shapes = [
        /belfry_[\w-]{43}/,
        /eyJ[\w-]{20,}\.eyJ[\w-]+\.[\w-]+/,
        /whsec_[\w+/]{20}/,
        /[?&](ticket|token)=[\w.-]+/,
      ]
      const like = shapes
        .map((shape) => shape.exec(text)?.[0]?.slice(0, 12))
        .filter((each) => each !== undefined)
      return [...found, ...like].join(', ') || 'none'
    },
  },
  {
    id: 'leaks.stored',
    owasp: 'API8',
    what: 'Keys and secrets as they are kept in Postgres, in the audit and in the feed',
    expected: 'none',
    how: async ({ sql, people }) => {
      const key = people.credentials['an admin key'] ?? ''
      const { rows } = await sql.query<{ dump: string }>(
        `SELECT coalesce(string_agg(a::text, ' '), '') ||
                (SELECT coalesce(string_agg(k::text, ' '), '') FROM belfry.api_keys k) ||
                (SELECT coalesce(string_agg(i::text, ' '), '') FROM belfry.idempotency_keys i) AS dump
           FROM belfry.audit a`,
      )
      const dump = rows[0]?.dump ?? ''
      const shapes = [/belfry_[\w-]{43}/, /whsec_[\w+/]{20,}/]
      const found = [key, ...Object.values(secrets)].filter((each) => dump.includes(each))
      return (
        [...found, ...shapes.flatMap((shape) => shape.exec(dump)?.[0] ?? [])].join(', ') || 'none'
      )
    },
  },
]
