import { createExecutionContext } from 'cloudflare:test'
import { afterEach, beforeEach, vi } from 'vitest'
import { app } from '../../worker/app.ts'
import { bindings } from './link.ts'

/** The doors of those who run it, before a database that a test speaks for. */
export class AdminDoors {
  /** What reached the database. */
  statements: string[] = []
  answer: () => Response | Promise<Response> = unreachable

  /** Call it at the top of a file. */
  constructor() {
    beforeEach(() => {
      this.statements = []
      this.answer = unreachable
      vi.spyOn(globalThis, 'fetch').mockImplementation(async (_input, init) => {
        this.statements.push(String(init?.body))
        return this.answer()
      })
    })
    afterEach(() => {
      vi.restoreAllMocks()
    })
  }

  async ask(method: string, path: string, body?: unknown, headers = {}) {
    const init = {
      method,
      headers: {
        authorization: `Bearer ${bindings.ADMIN_TOKEN}`,
        'content-type': 'application/json',
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    }
    const request = new Request(`http://belfry.test${path}`, init)
    const response = await app.fetch(request, bindings, createExecutionContext())
    const text = new TextDecoder().decode(await response.arrayBuffer())
    const isJson = /^application\/(problem\+)?json/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, text, body: isJson && text ? JSON.parse(text) : {} }
  }
}

function unreachable(): Response {
  throw new TypeError('fetch failed')
}
