import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { cloudflare, limits, neon, workers } from '../bench/prices.ts'
import { whyNoChart, withTable } from '../bench/publish.ts'
import type { Section } from '../bench/section.ts'

const section = (foreignLoad: number | null): Section => ({
  name: 'commits',
  title: 'Commits a second',
  columns: [],
  rows: [],
  data: {},
  spread: null,
  targets: [],
  foreignLoad,
})

describe('a chart is shown', () => {
  test('of a whole run on a quiet machine', () => {
    expect(whyNoChart([section(0.02), section(null)], true)).toBeNull()
  })

  test('not of a part of a run', () => {
    expect(whyNoChart([section(0.02)], false)).toContain('npm run bench -- --publish')
  })

  test('not where others used the machine, even during one measure', () => {
    expect(whyNoChart([section(0.02), section(0.31)], true)).toContain('31 %')
  })
})

describe('worker/SCALE.md', () => {
  const scale = readFileSync(new URL('../../worker/SCALE.md', import.meta.url), 'utf8')

  test('names the source of each limit that the model uses', () => {
    for (const { source } of Object.values(limits))
      expect(scale).toContain(source.replace(/ \(.*$/, ''))
    for (const { source } of [cloudflare, workers, neon])
      expect(scale).toContain(source.replace(/ \(.*$/, ''))
  })

  test('has a place for each table of the run', () => {
    for (const name of ['costs', 'check', 'shards', 'reach', 'return', 'answers'])
      expect(withTable(scale, `scale ${name}`, 'a table')).toContain('a table')
  })
})

describe('a table', () => {
  const text = 'Before.\n\n<!-- scale costs: said so -->\nold\n<!-- /scale costs -->\n\nAfter.\n'

  test('takes the place of the one before', () => {
    const once = withTable(text, 'scale costs', 'a  $1\nb  $2')
    expect(once).toBe(
      'Before.\n\n<!-- scale costs: said so -->\n\n```\na  $1\nb  $2\n```\n\n<!-- /scale costs -->\n\nAfter.\n',
    )
    expect(withTable(once, 'scale costs', 'c')).not.toContain('a  $1')
  })

  test('without a place is an error', () => {
    expect(() => withTable(text, 'scale answers', 'x')).toThrow('scale answers')
  })
})
