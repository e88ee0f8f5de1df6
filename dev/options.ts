import { parseArgs } from 'node:util'
import { parseDatabaseUrl } from './database-url.ts'
import { Failure } from './failure.ts'

/** What a person asks of `npm start`, by flags and environment. */
export type Options = {
  port: number
  demo: boolean
  /** null: the embedded PostgreSQL. */
  databaseUrl: string | null
  /** Which links in mails begin with; null: the worker's address on this machine. */
  publicUrl: string | null
  /** Variables of the worker that open its doors wider, or narrower; as in production without. */
  doors: Record<string, string>
  mail: MailOptions
}

export type MailOptions =
  | { kind: 'mailbox'; from: string; recipients: string }
  | {
      kind: 'resend'
      apiKey: string
      /** null: Resend's webhooks are refused. */
      webhookSecret: string | null
      from: string
      recipients: string
    }

export const help = `npm start                 runs Belfry on this machine
npm start -- --demo       the same, with orders that live their lives

Environment
  PORT                    of the worker and its dashboard, 8787 if not given
  DATABASE_URL            a PostgreSQL of your own instead of the embedded one
  ALERT_RECIPIENTS        who is told of filled orders, separated by commas
  MAIL_FROM               the sender of those mails
  RESEND_API_KEY          sends real mails through Resend instead of to the local mailbox
  RESEND_WEBHOOK_SECRET   of Resend's webhook, if a tunnel leads it here
  PUBLIC_URL              such a tunnel's address, which links in mails then begin with
  ALLOWED_ORIGINS         pages elsewhere that may call the API, like http://localhost:5173
  ANONYMOUS_SCOPES        what may be done without credentials, like "orders:read"; nothing if not given
  RATE_LIMIT_ANYONE, RATE_LIMIT_USER, RATE_LIMIT_STAFF
                          requests in 10 s; 0 is no limit`

const doorVariables = [
  'ALLOWED_ORIGINS',
  'ANONYMOUS_SCOPES',
  'RATE_LIMIT_ANYONE',
  'RATE_LIMIT_USER',
  'RATE_LIMIT_STAFF',
]

/** @returns null when only help was asked for */
export function readOptions(args: string[], env: NodeJS.ProcessEnv): Options | null {
  const { demo, help: wantsHelp } = readFlags(args)
  if (wantsHelp) return null
  const mail = readMail(env)
  if (demo && mail.kind === 'resend')
    throw new Failure(
      '--demo fills an order every few seconds, and with RESEND_API_KEY set each would send real mails. Unset RESEND_API_KEY or leave out --demo.',
    )
  return {
    port: readPort(env.PORT),
    demo,
    databaseUrl: readDatabaseUrl(env.DATABASE_URL),
    publicUrl: readPublicUrl(env.PUBLIC_URL),
    doors: readDoors(env),
    mail,
  }
}

function readFlags(args: string[]): { demo: boolean; help: boolean } {
  try {
    const { values } = parseArgs({
      args,
      options: { demo: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    })
    return { demo: values.demo ?? false, help: values.help ?? false }
  } catch {
    const unknown = args.find((arg) => !['--demo', '--help', '-h'].includes(arg)) ?? args.join(' ')
    throw new Failure(`npm start does not know "${unknown}"; it takes -- --demo or -- --help.`)
  }
}

function readPort(text: string | undefined): number {
  if (text === undefined || text === '') return 8787
  const port = Number(text)
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port
  throw new Failure(`PORT is "${text}" and must be a number from 1 to 65535, like PORT=8800.`)
}

function readDatabaseUrl(text: string | undefined): string | null {
  if (!text) return null
  parseDatabaseUrl(text, 'DATABASE_URL')
  return text
}

function readPublicUrl(text: string | undefined): string | null {
  if (!text) return null
  const url = URL.parse(text)
  if (url && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '')
    return text.replace(/\/+$/, '')
  throw new Failure(
    `PUBLIC_URL is "${text}" and must be an address like https://belfry.example.com.`,
  )
}

/** The worker itself says what is wrong with one. */
function readDoors(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(doorVariables.map((name) => [name, env[name]] as const).filter(isGiven))
}

function isGiven(variable: readonly [string, string | undefined]): variable is [string, string] {
  return Boolean(variable[1])
}

function readMail(env: NodeJS.ProcessEnv): MailOptions {
  const { RESEND_API_KEY: apiKey, MAIL_FROM: from, ALERT_RECIPIENTS: recipients } = env
  if (!apiKey)
    return {
      kind: 'mailbox',
      from: from || 'Belfry <orders@belfry.local>',
      recipients: recipients || 'staff@belfry.local',
    }
  if (from && recipients)
    return {
      kind: 'resend',
      apiKey,
      webhookSecret: env.RESEND_WEBHOOK_SECRET || null,
      from,
      recipients,
    }
  throw new Failure(
    'RESEND_API_KEY is set, so mails would be real: set MAIL_FROM and ALERT_RECIPIENTS too, or unset RESEND_API_KEY to read them in the local mailbox.',
  )
}
