import { freshClone, removeClone, startBelfry } from './belfry.ts'

/** One `npm start` for all tests of the system; they find it by BELFRY_LOCAL. */
export default async function setup() {
  const belfry = await startBelfry(freshClone())
  process.env.BELFRY_LOCAL = belfry.localPath
  return async () => {
    await belfry.stop()
    removeClone(belfry.directory)
  }
}
