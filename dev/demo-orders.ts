import { sampleAddress } from './sample-orders.ts'

/**
 * What happens next in a shop, decided from its orders and chance alone. Orders move on one step
 * at a time; now and then one is amended or cancelled; what is finished is forgotten, so that the
 * table stays at about forty rows.
 */
export type DemoOrder = { id: string; status: string; amount: number }

export type Move =
  | { kind: 'place'; customer: string; email: string; product: string; amount: number }
  | { kind: 'advance'; id: string; status: string }
  | { kind: 'amend'; id: string; amount: number }
  | { kind: 'forget'; id: string }

const usualRows = 40

const nextStatus: Record<string, string> = {
  pending: 'processing',
  processing: 'filled',
  filled: 'shipped',
  shipped: 'delivered',
  delivered: 'completed',
}

const customers = [
  'Ada Lovelace',
  'Alan Turing',
  'Barbara Liskov',
  'Claude Shannon',
  'Dorothy Vaughan',
  'Emmy Noether',
  'Grace Hopper',
  'Hedy Lamarr',
  'Joan Clarke',
  'Katherine Johnson',
  'Leslie Lamport',
  'Mary Somerville',
  'Radia Perlman',
  'Sophie Wilson',
]

const products: [string, number][] = [
  ['Brass gears, set of 40', 412.5],
  ['Bell rope, 12 m', 38],
  ['Carrier pigeon, trained', 125],
  ['Church candle, large', 14.5],
  ['Foghorn', 220],
  ['Hand bell, bronze', 64],
  ['Lantern, copper', 49.9],
  ['Semaphore flags, pair', 27.8],
  ['Telegraph key', 96],
  ['Weather vane, rooster', 83.25],
]

/**
 * @param orders oldest first
 * @param random in [0, 1), asked as often as needed
 */
export function nextMove(orders: readonly DemoOrder[], random: () => number): Move {
  const open = orders.filter(({ status }) => status in nextStatus)
  const over = orders.find(({ status }) => !(status in nextStatus))
  const young = open.filter(({ status }) => status === 'pending' || status === 'processing')
  // An order takes about seven moves in all: at the usual number of rows one in seven is placed.
  const fullness = orders.length / usualRows
  const placed = 0.15 * (2 - fullness)
  const forgotten = placed + 0.2 * fullness

  const chance = random()
  if (open.length === 0 || chance < placed) return place(random)
  if (over && chance < forgotten) return { kind: 'forget', id: over.id }
  if (young.length > 0 && chance > 0.93) return amend(pick(young, random), random)
  if (young.length > 0 && chance > 0.9)
    return { kind: 'advance', id: pick(young, random).id, status: 'cancelled' }
  const { id, status } = pick(open, random)
  return { kind: 'advance', id, status: nextStatus[status] ?? status }
}

function place(random: () => number): Move {
  const [product, price] = pick(products, random)
  const customer = pick(customers, random)
  const pieces = 1 + Math.floor(random() * 4)
  return {
    kind: 'place',
    customer,
    email: sampleAddress(customer),
    product,
    amount: price * pieces,
  }
}

function amend({ id, amount }: DemoOrder, random: () => number): Move {
  const changed = Math.round(amount * (0.8 + random() * 0.4) * 100) / 100
  return { kind: 'amend', id, amount: Math.max(1, changed) }
}

function pick<T>(from: readonly T[], random: () => number): T {
  return from[Math.floor(random() * from.length)] as T
}
