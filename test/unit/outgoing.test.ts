import { describe, expect, test } from 'vitest'
import { outgoing } from '../../listener/outgoing.ts'
import { MAX_CHANGE_BYTES } from '../../protocol/link.ts'

const change = (body: string) =>
  `{"id":"6d0f0f5e-0000-4000-8000-000000000000","table":"t","op":"insert","key":{"id":1},"new":{"id":1,"body":${body}},"old":null,"at":"2026-11-21T08:33:55.123456+00:00"}`

describe('outgoing', () => {
  test('an ordinary change goes as Postgres wrote it', () => {
    const text = change('"x"')
    expect(outgoing(text)).toEqual({ text, oversize: false })
  })

  test('P5 its inexact numbers are quoted', () => {
    expect(outgoing(change('9007199254740993')).text).toBe(change('"9007199254740993"'))
  })

  test('P6 one that came without its images is told apart from one that speaks of it', () => {
    const marked = change('1').replace(/\}$/, ',"oversize":true}')
    expect(outgoing(marked)).toEqual({ text: marked, oversize: true })
    expect(outgoing(change('",\\"oversize\\":true}"')).oversize).toBe(false)
  })

  test('P6 one that grew too large on the way loses its images and keeps the rest', () => {
    const many = Array(100_000).fill('9007199254740993').join(',')
    const text = change(`[${many}]`)
    expect(text.length).toBeLessThan(MAX_CHANGE_BYTES)
    const sent = outgoing(text)
    expect(sent.oversize).toBe(true)
    expect(JSON.parse(sent.text)).toEqual({
      ...JSON.parse(change('0')),
      new: null,
      oversize: true,
    })
  })

  test('P6 its size is asked in bytes', () => {
    expect(outgoing(change(`"${'ñ'.repeat(MAX_CHANGE_BYTES / 2)}"`)).oversize).toBe(true)
    expect(outgoing(change(`"${'n'.repeat(MAX_CHANGE_BYTES / 2)}"`)).oversize).toBe(false)
  })
})
