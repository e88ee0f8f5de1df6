import type { Bench } from './bench.ts'
import { bulk } from './measures/bulk.ts'
import { commits } from './measures/commits.ts'
import { cost } from './measures/cost.ts'
import { inbox } from './measures/inbox.ts'
import { latency } from './measures/latency.ts'
import { mail } from './measures/mail.ts'
import { memory } from './measures/memory.ts'
import { reconnect } from './measures/reconnect.ts'
import { scale } from './measures/scale.ts'
import { throughput } from './measures/throughput.ts'
import type { Section } from './section.ts'

/** By the name under which one can be run alone, in the order of a whole run. */
export const measures: { [name: string]: (bench: Bench) => Promise<Section | Section[]> } = {
  commits,
  latency,
  throughput,
  bulk,
  reconnect,
  memory,
  mail,
  inbox,
  cost,
  scale,
}
