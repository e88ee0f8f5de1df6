import { CANARY_LATE_MS } from '../../protocol/canary.ts'
import type { CanaryReport } from './canary.ts'
import type { ConsumerReport } from './consumer.ts'
import type { DrainReport, ListenerReport } from './status.ts'

/**
 * Whether changes arrive, and if not, or only slowly, why and what to do.
 *
 * Must hold (P71): true only of what was seen: a beat of the canary came a moment ago, every shard
 * stands where the feed stood then, and so does every consumer. The first break on the way is the
 * one that is named, because what lies behind it follows from it. A person reads the sentence:
 * it says what to do next.
 */
export type Delivering =
  | { delivering: true; why: string | null }
  | { delivering: false; why: string }

/** `canary`: the last one that came since the feed awoke. */
export type ProofReport = { canary: CanaryReport | null; lateShards: string[] } & Delivering

export type Facts = {
  now: number
  /** When the feed began to remember. */
  awakeSince: number
  listener: ListenerReport
  drain: DrainReport
  canary: CanaryReport | null
  lateShards: readonly string[]
  consumers: readonly (ConsumerReport & { late: boolean })[]
}

/** Longer than a change takes that is rung for, and shorter than the sweep that finds the others. */
const SLOW_MS = 2_000
const LAG_TOO_LONG_MS = 5_000
/** The feed looks every 15 s at the latest. */
const LOOK_LATE_MS = 20_000

export function judge(facts: Facts): Delivering {
  const broken = noDrain(facts) ?? noBeat(facts) ?? lateShard(facts) ?? lateConsumer(facts)
  if (broken !== null) return { delivering: false, why: broken }
  return { delivering: true, why: slowDrain(facts) ?? slowBeat(facts) ?? parked(facts) }
}

const START_LISTENER =
  'Start the listener (npm start, or its container); its log says why it is refused.'

function noDrain({ now, listener, drain }: Facts): string | null {
  if (drain.by === 'feed') {
    const agoMs = now - Date.parse(drain.lastAt)
    return agoMs <= LOOK_LATE_MS
      ? null
      : `No listener is connected, and the feed has not read the outbox in its place for ${seconds(agoMs)}. ${START_LISTENER}`
  }
  if (listener.present && drain.by === 'listener') return null
  const feedToo =
    drain.by === 'nobody' && drain.error !== null
      ? `, and the feed cannot read the outbox in its place: ${withStop(drain.error)}`
      : '.'
  return `No listener is connected${feedToo} New changes wait in Postgres, and none is lost. ${START_LISTENER}`
}

function noBeat({ now, awakeSince, listener, canary, drain }: Facts): string | null {
  if (drain.by === 'feed' || !listener.present) return null
  const lag = listener.lagMs > LAG_TOO_LONG_MS ? listener.lagMs : null
  if (canary && canary.ageMs <= CANARY_LATE_MS) return null
  if (lag !== null)
    return `The oldest change has waited ${seconds(lag)} in Postgres: the listener cannot keep up with what is written, or cannot send. Read its log.`
  if (canary)
    return `A listener is connected, but no canary has come for ${seconds(canary.ageMs)}. Read its log; \`belfry doctor\` looks at each step.`
  const silentMs = now - Math.max(awakeSince, Date.parse(listener.since))
  return silentMs <= CANARY_LATE_MS
    ? 'The way is not proven yet. The first canary is due within seconds.'
    : `A listener is connected, but no canary has come in ${seconds(silentMs)}. Migrate its database (npm run migrate), and run a listener of this version; its log says more.`
}

function lateShard({ lateShards }: Facts): string | null {
  const [first, ...others] = lateShards
  if (first === undefined) return null
  const more = others.length === 0 ? '' : `, nor ${plural(others.length, 'other')}`
  return `The shard ${first} does not answer${more}, so its subscribers wait; they lose nothing. Read the worker’s log; if it lasts, deploy again, which starts every shard anew.`
}

function lateConsumer({ consumers }: Facts): string | null {
  const late = consumers.find(({ late }) => late)
  if (!late) return null
  const { name, behind, error } = late
  const cause =
    error === null
      ? 'Read the worker’s log.'
      : `It says: ${withStop(error)} It tries again by itself, and parks a change that keeps failing; put right what it says.`
  return `The consumer ${name} is ${plural(behind, 'change')} behind. ${cause}`
}

function slowDrain({ listener, drain }: Facts): string | null {
  if (drain.by === 'feed')
    return `No listener is connected, so the feed reads the outbox itself, every 5 to 15 s: changes arrive, but late. ${START_LISTENER}`
  if (listener.present && listener.state === 'polling')
    return 'The listener could not LISTEN, so it polls, and changes take up to 250 ms longer. Give it the direct address of the database, not a pooler’s.'
  return null
}

function slowBeat({ canary, drain }: Facts): string | null {
  if (drain.by === 'feed' || canary === null) return null
  const tookMs = canary.toFeedMs + (canary.toShardsMs ?? 0)
  return tookMs > SLOW_MS
    ? `The last canary took ${seconds(tookMs)}. Either the bell is not heard, which \`belfry doctor\` tests, or the clocks of Postgres and of the worker differ.`
    : null
}

function parked({ consumers }: Facts): string | null {
  const [first] = consumers.filter(({ parked }) => parked > 0)
  if (!first) return null
  return `The consumer ${first.name} has given up ${plural(first.parked, 'change')}. \`belfry parked list\` shows why, and \`belfry parked redrive\` hands one over again.`
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function withStop(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
