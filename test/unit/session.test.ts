import { expect, it } from 'vitest'
import { formatRefresh, MAX_TOKEN_CHARACTERS, parseRefresh } from '../../protocol/session.ts'
import type { Principal } from '../../worker/doors/principal.ts'
import { cutsIn, cutsOf } from '../../worker/doors/revoked-in.ts'
import { hearsNoLess, isCut, parsePrincipal, writePrincipal } from '../../worker/doors/session.ts'

const somebody: Principal = {
  ...{ name: 'token:Zoë 🔔', kind: 'token', user: null, scopes: ['täble:read', 'orders:read'] },
  ...{ expiresAt: 1_790_000_000_000, issuedAt: null },
}

it('P96 a principal is handed on in ASCII, and read as it was', () => {
  const text = writePrincipal(somebody)
  expect(text).toMatch(/^[\x20-\x7e]+$/)
  expect(parsePrincipal(text)).toEqual(somebody)
})

it.each([null, '', 'x', '{}', '[]', 'null', '{"name":"operator","kind":"operator"}'])(
  'P94 %s is no principal',
  (text) => expect(parsePrincipal(text)).toBeNull(),
)

it.each([
  [10, 9, false],
  [10, 10, true],
  [10, 11, true],
  [null, 0, true],
  [0, Number.POSITIVE_INFINITY, true],
])(
  'P96 what was issued at %s is revoked by what is revoked since %d: %s',
  (issuedAt, sinceMs, cut) => {
    expect(isCut({ name: 'user:7', issuedAt }, { principal: 'user:7', sinceMs })).toBe(cut)
    expect(isCut({ name: 'user:77', issuedAt }, { principal: 'user:7', sinceMs })).toBe(false)
  },
)

const scopes = (...each: string[]): Principal => ({ ...somebody, scopes: each })
const tables = (...each: string[]) => ({ kind: 'tables' as const, tables: each })
it.each([
  [scopes('orders:read'), tables('orders'), true],
  [scopes('orders:read', 'a:read'), tables('orders'), true],
  [scopes('*:read'), tables('orders'), true],
  [scopes('admin'), tables('orders'), true],
  [scopes('orders:read'), tables('a', 'orders'), false],
  [scopes('orders:write'), tables('orders'), false],
  [scopes('orders:read'), { kind: 'tables' as const, tables: 'every' as const }, false],
  [scopes('*:read'), { kind: 'operator' as const }, false],
  [scopes('admin'), { kind: 'operator' as const }, true],
  [
    { ...somebody, user: '7' },
    { kind: 'own' as const, table: 'orders', column: 'c', value: '7' },
    true,
  ],
  [scopes('admin'), { kind: 'own' as const, table: 'orders', column: 'c', value: '7' }, false],
])('P96 %o hears no less than %o: %s', (asking, scope, may) => {
  expect(hearsNoLess(asking, scope)).toBe(may)
})

const change = (table: string, row: object | null) => ({
  ...{ offset: 1, id: crypto.randomUUID(), table, op: 'insert' as const, key: null, old: null },
  ...{ new: row as never, at: '2026-11-21T08:33:55.123456+00:00' },
})
it('P96 a page of the log is looked through for what it revokes', () => {
  const page = [
    change('orders', { principal: 'user:1', since: '2026-11-21T08:33:55+00:00' }),
    change('revocations', { principal: 'user:7', since: '2026-11-21T08:33:55.123999+00:00' }),
    change('revocations', { principal: 'key:1', since: 'infinity' }),
    change('revocations', { principal: 7, since: null }),
    change('revocations', null),
  ]
  const cuts = [
    { principal: 'user:7', sinceMs: Date.parse('2026-11-21T08:33:55.123Z') },
    { principal: 'key:1', sinceMs: Number.POSITIVE_INFINITY },
  ]
  expect(cutsOf(page)).toEqual(cuts)
  expect(cutsIn(JSON.stringify(page))).toEqual(cuts)
  expect(cutsIn(JSON.stringify([change('orders', { text: '"table":"revocations"' })]))).toEqual([])
})

it('P96 the frame "refresh" holds one token of at most 8 kB', () => {
  const longest = 'x'.repeat(MAX_TOKEN_CHARACTERS)
  expect(parseRefresh(formatRefresh(longest))).toBe(longest)
  for (const frame of [
    'refresh',
    'refresh ',
    'refresh a b',
    'refresh a\n',
    ' refresh a',
    'Refresh a',
  ])
    expect(parseRefresh(frame)).toBeNull()
  expect(parseRefresh(formatRefresh(`${longest}x`))).toBeNull()
})
