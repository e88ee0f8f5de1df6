import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { local } from './shop.ts'

const deployed = fileURLToPath(new URL('../../dist/client', import.meta.url))
const ofLocalRun = join(dirname(process.env.BELFRY_LOCAL ?? ''), '..', 'dist', 'local')
const SIGN_IN = /sign-in\.json|signInUrl|local-run/

it('P90 only the dashboard of a local run knows how to be anybody', async () => {
  expect(filesWith(SIGN_IN, ofLocalRun)).not.toEqual([])
  expect(filesWith(/<div id="app">/, deployed)).toContain('index.html')
  expect(filesWith(SIGN_IN, deployed)).toEqual([])

  const told = await fetch(`${local.url}/sign-in.json`)
  expect(await told.json()).toEqual({ signInUrl: local.signInUrl })
})

it('P90 a token of the local run opens the inbox of its user', async () => {
  const signIn = await fetch(`${local.signInUrl}/token?user=2`)
  const { token } = (await signIn.json()) as { token: string }
  const mine = await fetch(`${local.url}/api/me`, { headers: { authorization: `Bearer ${token}` } })
  expect(await mine.json()).toMatchObject({ user: { id: 2, name: 'Grace Hopper' } })
})

function filesWith(text: RegExp, folder: string): string[] {
  return globSync('**/*.{html,js,json}', { cwd: folder })
    .filter((file) => text.test(readFileSync(join(folder, file), 'utf8')))
    .toSorted()
}
