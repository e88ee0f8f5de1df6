import { signal } from './deadline.ts'

/** What a request got. A body that is no JSON has `json` undefined. */
export type Answer = {
  status: number
  headers: Headers
  text: string
  json: unknown
  /** The `code` of a problem. */
  code: string | null
}

export type Asking = {
  method?: string
  /** A bearer token. */
  as?: string | null
  headers?: Record<string, string>
  /** Sent as JSON; `raw` goes as it is. */
  body?: unknown
  raw?: string | Uint8Array<ArrayBuffer>
}

const STREAM = 'text/event-stream'

/** @throws if nothing answers within the deadline */
export async function ask(url: string, asking: Asking = {}): Promise<Answer> {
  const { method = 'GET', as = null, headers = {}, body, raw } = asking
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body))
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
      ...(as === null ? {} : { authorization: `Bearer ${as}` }),
      ...headers,
    },
    ...(sent === undefined ? {} : { body: sent as string | Uint8Array<ArrayBuffer> }),
    signal: signal(),
  })
  if (response.headers.get('content-type')?.startsWith(STREAM)) {
    await response.body?.cancel()
    return {
      status: response.status,
      headers: response.headers,
      text: '',
      json: undefined,
      code: null,
    }
  }
  const text = await response.text()
  const json = parsed(text)
  return { status: response.status, headers: response.headers, text, json, code: codeOf(json) }
}

/** In short: `401 unauthorized`. */
export function got({ status, code }: Pick<Answer, 'status' | 'code'>): string {
  return code === null ? String(status) : `${status} ${code}`
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function codeOf(json: unknown): string | null {
  if (typeof json !== 'object' || json === null || !('code' in json)) return null
  return typeof json.code === 'string' ? json.code : null
}
