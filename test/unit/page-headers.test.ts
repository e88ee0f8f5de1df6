import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

type Rule = { path: string; set: Map<string, string>; unset: string[] }

/** The file that the assets are served by, in a local run and in production alike. */
const rules: Rule[] = []
const file = readFileSync(new URL('../../client/public/_headers', import.meta.url), 'utf8')
for (const line of file.split('\n').filter((each) => each !== '' && !each.startsWith('#'))) {
  const [name = '', ...value] = line.trim().split(': ')
  if (!line.startsWith(' ')) rules.push({ path: line, set: new Map(), unset: [] })
  else if (name.startsWith('! ')) rules.at(-1)?.unset.push(name.slice(2))
  else rules.at(-1)?.set.set(name, value.join(': '))
}

function ruleOf(path: string): Rule {
  const rule = rules.find((each) => each.path === path)
  if (!rule) throw new Error(`no rule for ${path}`)
  return rule
}

function policyOf(path: string): Map<string, string[]> {
  const text = ruleOf(path).set.get('Content-Security-Policy') ?? ''
  return new Map(
    text.split('; ').map((directive) => {
      const [name = '', ...sources] = directive.split(' ')
      return [name, sources]
    }),
  )
}

describe('P106 a page of ours', () => {
  test('runs and styles nothing inline, and asks nobody else', () => {
    const sources = new Set([...policyOf('/*').values()].flat())
    expect(sources).toEqual(new Set(["'none'", "'self'", 'data:']))
    expect(policyOf('/*').get('default-src')).toEqual(["'none'"])
    for (const directive of ['script-src', 'style-src', 'connect-src'])
      expect(policyOf('/*').get(directive)).toEqual(["'self'"])
  })

  test('stands in no frame, and posts no form', () => {
    for (const directive of ['frame-ancestors', 'form-action', 'base-uri'])
      expect(policyOf('/*').get(directive)).toEqual(["'none'"])
    expect(ruleOf('/*').set.get('X-Frame-Options')).toBe('DENY')
  })

  test('has the policy, unless it is the letter, in which nothing runs', () => {
    const others = rules.filter(
      ({ set, unset }) =>
        set.has('Content-Security-Policy') || unset.includes('Content-Security-Policy'),
    )
    expect(others.map(({ path }) => path)).toEqual(['/*', '/letter'])
    const letter = policyOf('/letter')
    expect(letter.get('default-src')).toEqual(["'none'"])
    expect(letter.has('script-src')).toBe(false)
    expect(letter.get('frame-ancestors')).toEqual(["'self'"])
  })

  test.each(['/belfry.js', '/belfry-inbox.js', '/assets/*'])('%s is for any page', (path) => {
    const { set, unset } = ruleOf(path)
    expect(set.get('Access-Control-Allow-Origin')).toBe('*')
    expect(unset).toEqual(['Cross-Origin-Resource-Policy'])
    expect(set.get('Cross-Origin-Resource-Policy')).toBe('cross-origin')
  })
})
