import { describe, type Inbox, inbox } from '../sdk/belfry.ts'
import { workerAddress } from './address.ts'
import { readArguments } from './arguments.ts'
import { sentHint } from './credential.ts'
import { Failure } from './failure.ts'
import { arrivalLine, countsText } from './inbox-view.ts'
import type { Terminal } from './terminal.ts'
import { printable } from './text-width.ts'
import { userToken } from './user-token.ts'

/** Follows an inbox until Ctrl-C: what arrives, and how the counts move. */
export async function watch(args: readonly string[], terminal: Terminal): Promise<number> {
  const { flags } = readArguments(args, { user: 'text', json: 'switch' })
  const token = userToken(flags.user ?? null, terminal)
  // Once before, so that a user who is not there is said at once.
  if (typeof token === 'function') await token()
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const hint = typeof token === 'string' ? sentHint('user', { token, from: 'BELFRY_TOKEN' }) : ''
  let told = ''
  const followed = inbox({
    url: workerAddress(terminal),
    token,
    onNotification(one) {
      terminal.out(flags.json ? `${JSON.stringify(one)}\n` : `${arrivalLine(one, terminal)}\n`)
    },
    onUpdate: () => queueMicrotask(look),
  })
  const stopListening = terminal.onInterrupt(() => {
    followed.close()
    resolve(0)
  })
  return promise.finally(stopListening)

  function look() {
    const { freshness } = followed
    if (freshness.state === 'closed' && freshness.error)
      return reject(new Failure(`The worker refused: ${words(freshness.error)}.${hint}`))
    const news = standing(followed)
    if (news === null || news.text === told) return
    told = news.text
    terminal.err(`${terminal.paintErr(news.colour, `· ${news.text}`)}\n`)
  }
}

/** In a sentence; null while there is nothing to say. */
function standing({ freshness, connection, counts }: Inbox) {
  if (freshness.state === 'failing') {
    const seconds = (freshness.retryInMs / 1000).toFixed(1)
    return { colour: 'yellow', text: `${words(freshness.error)}; again in ${seconds} s` } as const
  }
  if (connection.state === 'waiting') {
    const seconds = (connection.retryInMs / 1000).toFixed(1)
    const why = printable(describe(connection.reason))
    return { colour: 'yellow', text: `${why}; again in ${seconds} s` } as const
  }
  if (freshness.state !== 'current' || connection.state !== 'live') return null
  return { colour: 'green', text: `live: ${countsText(counts)}` } as const
}

function words({ message }: Error): string {
  return printable(message.replace(/[.]$/, ''))
}
