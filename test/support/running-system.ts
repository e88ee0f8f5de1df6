import { freshClone, removeClone, startBelfry } from './belfry.ts'

/** Of a site whose pages the worker lets ask. */
export const ALLOWED_ORIGIN = 'https://shop.example'

/** One `npm start` for all tests of the system; they find it by BELFRY_LOCAL. */
export default async function setup() {
  const belfry = await startBelfry(freshClone(), { env: { ALLOWED_ORIGINS: ALLOWED_ORIGIN } })
  process.env.BELFRY_LOCAL = belfry.localPath
  return async () => {
    await belfry.stop()
    removeClone(belfry.directory)
  }
}
