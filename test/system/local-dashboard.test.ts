import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, it } from 'vitest'
import { local } from './shop.ts'

const project = fileURLToPath(new URL('../..', import.meta.url))
const deployed = `${project}/dist/client`
const ofLocalRun = join(dirname(process.env.BELFRY_LOCAL ?? ''), '..', 'dist', 'local')
const SIGN_IN = /sign-in\.json|signInUrl|local-run|\/staff\b/

it('P90 only the dashboard of a local run knows how to be anybody', async () => {
  expect(filesWith(SIGN_IN, ofLocalRun)).not.toEqual([])
  expect(filesWith(/<div id="app">/, deployed)).toContain('index.html')
  expect(filesWith(SIGN_IN, deployed)).toEqual([])
  // Only there may the page ask other servers of this machine.
  expect(policies(ofLocalRun)).toMatch(/connect-src 'self' http:\/\/127\.0\.0\.1:\*/)
  expect(policies(deployed)).toMatch(/connect-src 'self';/)
  expect(policies(deployed)).not.toContain('127.0.0.1')

  const told = await fetch(`${local.url}/sign-in.json`)
  expect(await told.json()).toEqual({ signInUrl: local.signInUrl })
})

it('P106 what is deployed holds nothing of the local run, nor of its secrets', async () => {
  const { metafile } = await build({
    entryPoints: [`${project}/worker/index.ts`, `${project}/listener/main.ts`],
    outdir: 'nowhere',
    write: false,
    metafile: true,
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['cloudflare:*'],
  })
  const sources = Object.keys(metafile.inputs)
  expect(sources).toContain('worker/app.ts')
  expect(sources.filter((source) => /^(dev|test|client)\//.test(source))).toEqual([])
  const kept = JSON.parse(
    readFileSync(join(ofLocalRun, '..', '..', '.belfry/secrets.json'), 'utf8'),
  )
  for (const secret of [local.adminToken, ...Object.values<string>(kept)])
    for (const folder of [deployed, ofLocalRun]) expect(filesWith(secret, folder)).toEqual([])
})

it('P94 who runs the machine is given a token that opens what staff may open, for an hour', async () => {
  const signIn = await fetch(`${local.signInUrl}/staff`)
  const { token, expires_at } = (await signIn.json()) as { token: string; expires_at: string }
  expect(Date.parse(expires_at)).toBeLessThanOrEqual(Date.now() + 3_600_000)
  const ask = async (path: string, headers = {}) =>
    (await fetch(`${local.url}${path}`, { headers })).status
  for (const path of ['/api/orders', '/api/users', '/api/status']) {
    expect(await ask(path)).toBe(401)
    expect(await ask(path, { authorization: `Bearer ${token}` })).toBe(200)
  }
  expect(await ask('/api/me', { authorization: `Bearer ${token}` })).toBe(403)
})

it('P90 a token of the local run opens the inbox of its user', async () => {
  const signIn = await fetch(`${local.signInUrl}/token?user=2`)
  const { token } = (await signIn.json()) as { token: string }
  const mine = await fetch(`${local.url}/api/me`, { headers: { authorization: `Bearer ${token}` } })
  expect(await mine.json()).toMatchObject({ user: { id: 2, name: 'Grace Hopper' } })
})

function filesWith(wanted: RegExp | string, folder: string): string[] {
  return globSync('**/*.{html,js,json}', { cwd: folder })
    .filter((file) => {
      const text = readFileSync(join(folder, file), 'utf8')
      return typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)
    })
    .toSorted()
}

function policies(folder: string): string {
  return readFileSync(join(folder, '_headers'), 'utf8')
}
