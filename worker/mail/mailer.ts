import { Courier } from '../courier/courier.ts'
import type { Row } from '../courier/row.ts'
import type { Env } from '../env.ts'
import { MailChannel } from './mail-channel.ts'
import { moveOldMails } from './old-mails.ts'
import type { ProviderEvent } from './provider-event.ts'
import { isAddress, sameMailbox } from './recipients.ts'
import { type Suppression, type SuppressionPage, Suppressions } from './suppressions.ts'
import { UnsubscribeTokens } from './unsubscribe-tokens.ts'

export type { Suppression, SuppressionPage } from './suppressions.ts'

/**
 * The courier of mail. There is one, named "main".
 *
 * Beside the ledger it keeps who gets no mail (suppressions.ts). What Resend says of a mail moves
 * the ledger and that list in one transaction, so that neither is ever without the other.
 */
export class Mailer extends Courier {
  readonly #suppressions: Suppressions
  readonly #tokens: UnsubscribeTokens
  protected readonly channel: MailChannel

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#suppressions = new Suppressions(ctx.storage.sql)
    this.#tokens = new UnsubscribeTokens(ctx.storage.sql)
    this.channel = new MailChannel(env, this.#suppressions, this.#tokens)
    ctx.blockConcurrencyWhile(async () => {
      await moveOldMails(this.ledger.rows)
      await this.arm()
    })
  }

  /** What Resend says became of a mail. */
  async heard(event: ProviderEvent): Promise<'applied' | 'known' | 'unmatched'> {
    const { id, kind: word, at, providerId, detail } = event
    const now = Date.now()
    const heard = { id, word, at: Date.parse(at), providerId, detail }
    const { kind } = this.ledger.rows.write(() => {
      const hearing = this.ledger.hear(event.delivery, heard, now)
      if (hearing.kind !== 'known')
        this.#suppressFor(event, hearing.kind === 'applied' ? hearing.row : null, now)
      return hearing
    })
    if (kind === 'applied') await this.moved()
    return kind
  }

  async suppressions(
    limit: number,
    before: number | null,
    search: string | null,
  ): Promise<SuppressionPage> {
    return this.#suppressions.list(limit, before, search === null ? null : sameMailbox(search))
  }

  /** By hand. */
  async suppress(mailbox: string, detail: string | null): Promise<Suppression> {
    return this.#suppressions.add(sameMailbox(mailbox), 'by_hand', detail, Date.now())
  }

  /** @returns whether it was there */
  async unsuppress(mailbox: string): Promise<boolean> {
    return this.#suppressions.remove(sameMailbox(mailbox))
  }

  async unsubscribe(token: string): Promise<'unsubscribed' | 'missing'> {
    const mailbox = this.#tokens.mailboxOf(token)
    if (mailbox === null) return 'missing'
    this.#suppressions.add(mailbox, 'unsubscribed', null, Date.now())
    return 'unsubscribed'
  }

  async mailboxOf(token: string): Promise<string | null> {
    return this.#tokens.mailboxOf(token)
  }

  #suppressFor(
    { kind, permanent, recipient, detail }: ProviderEvent,
    row: Row | null,
    now: number,
  ): void {
    if (kind !== 'complained' && !(kind === 'bounced' && permanent)) return
    const mailbox = recipient ?? row?.recipient ?? ''
    if (isAddress(mailbox)) this.#suppressions.add(sameMailbox(mailbox), kind, detail, now)
  }
}
