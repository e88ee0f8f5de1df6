import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

/**
 * Five kinds of test, from the quick to the whole: pure parts; capture, bell and listener against
 * real servers; feed, shards and mail in workerd; `npm start` itself; the page in a browser.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['unit', 'sdk', 'cli', 'simulation'].map((room) => `test/${room}/**/*.test.ts`),
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              bindings: {
                LINK_SECRET: 'a secret of the tests',
                LINK_SECRET_PREVIOUS: 'an older secret of the tests',
                ADMIN_TOKEN: 'admin-token-of-the-tests',
                DATABASE_URL: 'postgres://nobody:nothing@database.invalid/belfry',
                MAIL_FROM: 'Belfry <orders@belfry.test>',
                ALERT_RECIPIENTS: 'staff@belfry.test',
              },
            },
          }),
        ],
        test: { name: 'worker', include: ['test/worker/**/*.test.ts'] },
      },
      {
        test: {
          name: 'postgres',
          include: ['test/postgres/**/*.test.ts', 'test/listener/**/*.test.ts'],
          globalSetup: ['test/support/postgres-server.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts', 'test/browser/**/*.test.ts'],
          globalSetup: ['test/support/running-system.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
