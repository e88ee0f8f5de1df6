import { availableParallelism } from 'node:os'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'
import { databaseOfRules } from './test/support/database-of-rules.ts'

const cores = availableParallelism()
/** One group after the other, so that what has a deadline has a core as well. */
const WORKING = { maxWorkers: Math.max(2, cores - 1), sequence: { groupOrder: 0 } }
/** These wait for the listener's clocks more than they work. */
const WAITING = { maxWorkers: Math.max(3, cores - 1), sequence: { groupOrder: 1 } }
const ALONE = { fileParallelism: false, sequence: { groupOrder: 2 } }

/**
 * Six kinds of test, from the quick to the whole: pure parts; capture, bell and listener against
 * real servers; feed, shards and mail in workerd; the mailer in a storm, before the stand-in for
 * Resend; `npm start` itself; the page in a browser.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...WORKING,
          name: 'unit',
          include: ['unit', 'sdk', 'cli', 'simulation'].map((room) => `test/${room}/**/*.test.ts`),
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              outboundService: databaseOfRules,
              bindings: {
                LINK_SECRET: 'a secret of the tests',
                LINK_SECRET_PREVIOUS: 'an older secret of the tests',
                ADMIN_TOKEN: 'admin-token-of-the-tests',
                ANONYMOUS_SCOPES: '*:read orders:write',
                RATE_LIMIT_ANYONE: '0',
                RATE_LIMIT_USER: '0',
                RATE_LIMIT_STAFF: '0',
                DATABASE_URL: 'postgres://nobody:nothing@database.invalid/belfry',
                MAIL_FROM: 'Belfry <orders@belfry.test>',
                ALERT_RECIPIENTS: 'staff@belfry.test',
                RESEND_WEBHOOK_SECRET: 'whsec_dGhlIHdlYmhvb2sgc2VjcmV0IG9mIHRoZSB0ZXN0cw==',
              },
            },
          }),
        ],
        test: {
          ...WORKING,
          name: 'worker',
          include: ['test/worker/**/*.test.ts'],
          exclude: ['test/worker/storm.test.ts'],
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
        test: {
          ...WORKING,
          name: 'storm',
          include: ['test/worker/storm.test.ts'],
          globalSetup: ['test/support/resend-stand-in.ts'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          ...WAITING,
          name: 'postgres',
          include: ['test/postgres/**/*.test.ts', 'test/listener/**/*.test.ts'],
          globalSetup: ['test/support/postgres-server.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...ALONE,
          name: 'system',
          include: ['test/system/**/*.test.ts', 'test/browser/**/*.test.ts'],
          globalSetup: ['test/support/running-system.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
