/**
 * What the vendors ask, in US dollars, and what they allow, each with the page that says so, as
 * read on READ_ON. Allowances that a plan includes are left out of all bills: they are an
 * account's, and other work may have used them up.
 */
export const READ_ON = '2026-11-21'

const CLOUDFLARE = 'https://developers.cloudflare.com'

export const cloudflare = {
  source: `${CLOUDFLARE}/durable-objects/platform/pricing/ (Workers Paid)`,
  readOn: READ_ON,
  /**
   * Calls from object to object, requests to open a WebSocket, alarms. Messages that a WebSocket
   * brings in count 20 : 1; those it sends out, and pings that are answered automatically, not.
   */
  perMillionRequests: 0.15,
  messagesPerRequest: 20,
  /** An object is billed as 128 MB while it runs or cannot hibernate. */
  perMillionGbSeconds: 12.5,
  gbPerObject: 0.128,
  /** A row that is deleted counts, and so does each `setAlarm`. */
  perMillionRowsWritten: 1,
  perMillionRowsRead: 0.001,
  perGbMonth: 0.2,
} as const

/** The worker before the objects. What goes out over the network costs nothing. */
export const workers = {
  source: `${CLOUDFLARE}/workers/platform/pricing/ (Standard)`,
  perMillionRequests: 0.3,
  perMillionCpuMs: 0.02,
} as const

export const neon = {
  source: 'https://neon.com/docs/introduction/plans (Launch)',
  readOn: READ_ON,
  perComputeUnitHour: 0.106,
  /** The smallest: 1 GB of memory. */
  computeUnits: 0.25,
  /** What leaves the database over the public internet; 100 GB a month are included. */
  perGbTransferred: 0.1,
} as const

/** `assumed`: no page says so, or pages differ. */
export type Limit = { value: number; source: string; assumed?: string }

export const limits = {
  sockets: {
    value: 32_768,
    source: `${CLOUDFLARE}/durable-objects/api/state/ (acceptWebSocket)`,
  },
  /** Of an isolate's heap. */
  heapBytes: {
    value: 128e6,
    source: `${CLOUDFLARE}/workers/platform/limits/ (Memory)`,
    assumed:
      'one isolate an object: earlier pages say that objects of one class may share an isolate, and so its memory',
  },
  /** A soft one, of what one object is asked. */
  requestsPerSecond: {
    value: 1_000,
    source: `${CLOUDFLARE}/durable-objects/platform/limits/ (How much work can a single Durable Object do?)`,
  },
  /** "Complex operations": the same object, when each request writes. */
  writesPerSecond: {
    value: 500,
    source: `${CLOUDFLARE}/durable-objects/best-practices/rules-of-durable-objects/ (200 to 500)`,
  },
  storageBytes: {
    value: 10e9,
    source: `${CLOUDFLARE}/durable-objects/platform/limits/`,
  },
  cpuSecondsPerRequest: {
    value: 30,
    source: `${CLOUDFLARE}/durable-objects/platform/limits/ (each incoming message begins anew)`,
  },
  /** Calls in one invocation; up to 10 million with `limits.subrequests` in wrangler.toml. */
  subrequests: {
    value: 10_000,
    source: `${CLOUDFLARE}/changelog/2026-02-11-subrequests-limit/`,
    assumed: 'an incoming message begins a new invocation, with a new count',
  },
  /** Waiting for an answer at one time; what is beyond waits for a place. */
  connections: {
    value: 6,
    source: `${CLOUDFLARE}/durable-objects/platform/limits/ (as Workers)`,
    assumed:
      'whether calls to objects count is not said (github.com/cloudflare/cloudflare-docs/issues/22320, open)',
  },
} as const satisfies { [name: string]: Limit }
