import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** What the listener counts. Names and units follow Prometheus' conventions. */
export class Metrics {
  readonly registry = new Registry()

  readonly leader = this.#gauge('belfry_leader', '1 while this listener leads')
  readonly term = this.#gauge('belfry_term', 'The term it leads with, 0 while it does not')
  readonly linkUp = this.#gauge('belfry_link_up', '1 while the link to the feed is open')
  readonly lagSeconds = this.#gauge('belfry_lag_seconds', 'Age of the oldest change in the outbox')
  readonly head = this.#gauge('belfry_feed_head', "The feed's head when it last acknowledged")
  readonly asleep = this.#gauge('belfry_asleep', '1 while writers are asked to ring')

  readonly changes = this.#counter('belfry_changes_total', 'Changes acknowledged by the feed')
  readonly duplicates = this.#counter('belfry_duplicates_total', 'Changes the feed had already')
  readonly oversize = this.#counter('belfry_oversize_total', 'Changes sent without their images')
  readonly batches = this.#counter('belfry_batches_total', 'Batches acknowledged by the feed')
  readonly looks = this.#counter('belfry_looks_total', 'Times the outbox was read')
  readonly rings = this.#counter('belfry_rings_total', 'Times the bell was heard')
  readonly wakes = this.#counter(
    'belfry_wakes_total',
    'Times the listener got up because of a crowd',
  )
  readonly sweepFound = this.#counter(
    'belfry_sweep_found_total',
    'Changes that were found before a ring was heard; more than a stray few are a bug',
  )
  readonly reconnects = this.#counter('belfry_reconnects_total', 'Times Postgres was lost')

  readonly ageSeconds = new Histogram({
    name: 'belfry_change_age_seconds',
    help: 'Age of a batch’s oldest change when the feed acknowledged it',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60],
    registers: [this.registry],
  })

  readonly #canaryLatency = this.#gauge(
    'belfry_canary_latency_seconds',
    'How long the last beat of the canary took, from its row to the acknowledgement',
  )
  /** When a beat last came back, or since when one is waited for; null while it does not lead. */
  #beatenAt: number | null = null

  constructor() {
    new Gauge({
      name: 'belfry_canary_age_seconds',
      help: 'Since the feed last acknowledged a beat of the canary, or since it leads; 0 while it does not',
      registers: [this.registry],
      collect: this.#collectAge(),
    })
    collectDefaultMetrics({ register: this.registry })
  }

  /** @param at null when it leads no more */
  beatSince(at: number | null): void {
    this.#beatenAt = at
  }

  beaten(at: number, tookMs: number): void {
    this.#beatenAt = at
    this.#canaryLatency.set(tookMs / 1000)
  }

  #collectAge(): (this: Gauge) => void {
    const ageMs = () => (this.#beatenAt === null ? 0 : Date.now() - this.#beatenAt)
    return function () {
      this.set(ageMs() / 1000)
    }
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.registry] })
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name, help, registers: [this.registry] })
  }
}
