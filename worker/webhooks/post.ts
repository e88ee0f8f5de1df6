import type { Reply } from './reply.ts'
import { type Message, signedHeaders } from './signature.ts'

const TIMEOUT_MS = 15_000
/** Of an answer, for people to see what is wrong. */
const READ_BYTES = 2_048
const SHOWN_CHARACTERS = 300

/**
 * One request; it ends within 15 s, whatever the endpoint does, and never throws.
 * @param ended nobody waits for it any more
 */
export async function post(
  url: string,
  message: Message,
  secrets: readonly string[],
  ended: AbortSignal,
): Promise<Reply> {
  // Not AbortSignal.timeout: its timer would keep the object in memory long after the answer.
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), TIMEOUT_MS)
  try {
    const headers = await signedHeaders(message, secrets, Date.now())
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'Belfry', ...headers },
      body: message.body,
      redirect: 'manual',
      signal: AbortSignal.any([controller.signal, ended]),
    })
    return {
      kind: 'answer',
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      location: shown(response.headers.get('location')),
      text: response.ok ? '' : (shown(await beginningOf(response)) ?? ''),
    }
  } catch (error) {
    if (controller.signal.aborted)
      return { kind: 'none', error: `it was not done within ${TIMEOUT_MS / 1_000} s` }
    return { kind: 'none', error: error instanceof Error ? error.message : String(error) }
  } finally {
    // Whatever is left of the answer is not waited for.
    controller.abort()
    clearTimeout(timer)
  }
}

async function beginningOf(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  const reader = response.body?.getReader()
  while (reader && bytes < READ_BYTES) {
    const { value, done } = await reader.read()
    if (done) break
    bytes += value.length
    text += decoder.decode(value.subarray(0, READ_BYTES), { stream: true })
  }
  return text
}

/** On one line, and short: it is a stranger's text. */
function shown(text: string | null): string | null {
  if (text === null) return null
  const line = text.replace(/[\s\p{C}]+/gu, ' ').trim()
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line
}
