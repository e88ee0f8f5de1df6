import { z } from 'zod'

/**
 * How the stand-in for Resend behaves, so that a person can see what Belfry does about it. Set over
 * HTTP or on the mailbox page. They are held in memory only: a local run begins as normal.
 */
export const providerModes = [
  'up',
  'down',
  'failing',
  'slow',
  'accept-then-hang',
  'too-many',
] as const

const SLOW_MS = 3_000
/** What Resend allows a team unless it asks for more. */
const REQUESTS_PER_SECOND = 5

/** Addresses; `@example.com` stands for all there. */
const recipients = z
  .array(z.string().trim().toLowerCase().min(3).max(320).regex(/@/, 'must hold an @'))
  .max(1_000)
  .default([])

const switchesSchema = z.strictObject({
  provider: z.enum(providerModes).default('up'),
  slow_ms: z.int().min(0).max(120_000).default(SLOW_MS),
  requests_per_second: z.int().min(1).nullable().default(REQUESTS_PER_SECOND),
  daily_quota: z.int().min(0).nullable().default(null),
  /** Recipients whose mails come back. */
  bounce: recipients,
  /** Recipients that are no good: 422, as for those at `example.com` there. */
  refuse: recipients,
  webhooks: z.enum(['on', 'off', 'repeated', 'reordered']).default('on'),
})

export type Switches = z.infer<typeof switchesSchema>
export type SwitchesInput = z.input<typeof switchesSchema>

export class Switchboard {
  #current: Switches
  readonly #watchers = new Set<() => void>()

  constructor(beginning: SwitchesInput = {}) {
    this.#current = switchesSchema.parse(beginning)
  }

  get current(): Switches {
    return this.#current
  }

  /**
   * What is left out becomes normal.
   * @returns what is wrong with it, or null
   */
  set(input: unknown): string | null {
    const { success, data, error } = switchesSchema.safeParse(input)
    if (!success) return whatIsWrong(error)
    this.#current = data
    for (const tell of this.#watchers) tell()
    return null
  }

  /** @returns ends it */
  watch(tell: () => void): () => void {
    this.#watchers.add(tell)
    return () => this.#watchers.delete(tell)
  }
}

/** @param mailbox in lower case */
export function isListed(mailbox: string, list: readonly string[]): boolean {
  return list.includes(mailbox) || list.includes(mailbox.slice(mailbox.lastIndexOf('@')))
}

/** A sentence for each switch that is not normal. */
export function abnormal(switches: Switches): string[] {
  const { provider, slow_ms, requests_per_second, daily_quota, bounce, refuse, webhooks } = switches
  const sentences = {
    up: null,
    down: 'Resend is down: every connection is reset.',
    failing: 'Resend fails: every request gets 500, and no mail is taken.',
    slow: `Resend is slow: each request takes ${slow_ms / 1_000} s.`,
    'accept-then-hang': 'Resend takes mails and never answers.',
    'too-many': 'Resend answers every request with 429.',
  }
  const hooks = {
    on: null,
    off: 'Webhooks are held back until they are on again.',
    repeated: 'Each webhook is sent twice.',
    reordered: 'Webhooks are sent in the wrong order.',
  }
  return [
    sentences[provider],
    requests_per_second === REQUESTS_PER_SECOND
      ? null
      : requests_per_second === null
        ? 'There is no rate limit.'
        : `The rate limit is ${requests_per_second} a second.`,
    daily_quota === null ? null : `No more than ${daily_quota} mails are taken a day.`,
    bounce.length === 0 ? null : `Mails to ${bounce.join(', ')} bounce.`,
    refuse.length === 0 ? null : `Mails to ${refuse.join(', ')} are refused.`,
    hooks[webhooks],
  ].filter((sentence) => sentence !== null)
}

function whatIsWrong(error: z.ZodError): string {
  const [issue] = error.issues
  const name = issue?.path.join('.')
  return `${name ? `\`${name}\`: ` : ''}${issue?.message}. The switches are ${Object.keys(switchesSchema.shape).join(', ')}; GET /switches shows them as they stand.`
}
