import { stampedAt } from './clock.ts'

/** What one frame says, whoever sent it. */
export type Said =
  | { kind: 'nothing' }
  /** From here on nothing is missed. With a window, what is taken in must be acknowledged. */
  | { kind: 'ready'; position: Position | null; window?: number }
  | { kind: 'answer'; text: string }
  | { kind: 'reset' }
  /** `ids` and `stamps`, one of each for a change. */
  | {
      kind: 'changes'
      after: number | null
      through: number | null
      ids: number[]
      stamps: (number | null)[]
    }

export type Position = { epoch: string; offset: number }
export type DialectName = 'belfry' | 'belfry, as text' | 'belfry, filtered' | 'plain' | 'socket.io'
export type Dialect = {
  /** A socket that is open is ready, with no frame to say so. */
  readyWhenOpen: boolean
  path(position: Position | null): string
  understand(text: string): Said
}

type Row = { id: number; product_name: string }

const NOTHING: Said = { kind: 'nothing' }

const belfry: Dialect = {
  readyWhenOpen: false,
  path: (position) =>
    position
      ? `/api/changes/ws?acks=1&deflate=1&after=${position.offset}&epoch=${position.epoch}`
      : '/api/changes/ws?acks=1&deflate=1',
  understand(text) {
    const frame = JSON.parse(text) as BelfryFrame
    switch (frame.type) {
      case 'hello':
        return {
          kind: 'ready',
          position: { epoch: frame.epoch, offset: frame.after },
          window: frame.window,
        }
      case 'reset':
        return { kind: 'reset' }
      case 'changes': {
        const { after, through, changes } = frame
        // Everything is asked for, so every offset must be there.
        if (changes.some(({ offset }, index) => offset !== after + 1 + index))
          throw new Error('offsets with a gap')
        if (changes.length > 0 && changes.length !== through - after)
          throw new Error('a frame without all it says')
        const stamps = changes.map((change) => stampedAt(change.new?.product_name))
        const ids = changes.map(({ offset }) => offset)
        return { kind: 'changes', after, through, ids, stamps }
      }
    }
  },
}

/** As a reader that cannot inflate. */
const asText: Dialect = {
  ...belfry,
  path: (position) => belfry.path(position).replace('&deflate=1', ''),
}

let filters = 0
/** Each with a filter of its own, that nothing matches. */
const filtered: Dialect = {
  ...belfry,
  path: () => `/api/changes/ws?customer_name=nobody%20${++filters}`,
}

type BelfryFrame =
  | { type: 'hello'; epoch: string; after: number; window: number }
  | { type: 'reset' }
  | {
      type: 'changes'
      after: number
      through: number
      changes: { offset: number; new: Row | null }[]
    }

const plain: Dialect = {
  readyWhenOpen: true,
  path: () => '/',
  understand: (text) => told(JSON.parse(text) as { row: Row }),
}

const socketIo: Dialect = {
  readyWhenOpen: false,
  path: () => '/socket.io/?EIO=4&transport=websocket',
  understand(text) {
    if (text.startsWith('42')) return told((JSON.parse(text.slice(2)) as [string, { row: Row }])[1])
    if (text.startsWith('40')) return { kind: 'ready', position: null }
    if (text.startsWith('0')) return { kind: 'answer', text: '40' }
    return text === '2' ? { kind: 'answer', text: '3' } : NOTHING
  },
}

function told({ row }: { row: Row }): Said {
  const stamps = [stampedAt(row.product_name)]
  return { kind: 'changes', after: null, through: null, ids: [row.id], stamps }
}

export const dialects: { [name in DialectName]: Dialect } = {
  belfry,
  'belfry, as text': asText,
  'belfry, filtered': filtered,
  plain,
  'socket.io': socketIo,
}
