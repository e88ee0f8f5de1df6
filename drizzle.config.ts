import { defineConfig } from 'drizzle-kit'

/** `npm run generate` writes the next migration; triggers go in `-- --custom` files. */
export default defineConfig({
  dialect: 'postgresql',
  schema: ['./drizzle/schema.ts', './drizzle/inbox-schema.ts', './drizzle/revocations-schema.ts'],
  out: './drizzle/migrations',
})
