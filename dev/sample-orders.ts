import type pg from 'pg'

/** Addresses of orders that we made up end in this, and nobody else's do. */
export const sampleDomain = 'belfry.example'

/**
 * Customer, product, status, amount, hours since it was placed. None is filled, so that no mail
 * goes out; filling one is for the newcomer to do.
 */
const samples: [string, string, string, number, number][] = [
  ['Ada Lovelace', 'Brass gears, set of 40', 'pending', 412.5, 0.2],
  ['Grace Hopper', 'Moth trap, pocket size', 'pending', 18.9, 0.6],
  ['Edsger Dijkstra', 'City map, shortest routes', 'pending', 24, 1.1],
  ['Barbara Liskov', 'Substitute teacher, one day', 'pending', 240, 1.7],
  ['Alan Turing', 'Paper tape, endless', 'processing', 64.2, 2.4],
  ['Katherine Johnson', 'Slide rule, mahogany', 'processing', 129.99, 3.3],
  ['Claude Shannon', 'Unicycle, with juggling clubs', 'processing', 349, 4.8],
  ['Margaret Hamilton', 'Bookcase, one person high', 'processing', 580, 6.5],
  ['Donald Knuth', 'Pipe organ, small', 'processing', 18750, 9],
  ['Radia Perlman', 'Spanning tree, potted', 'shipped', 79.5, 12],
  ['Dennis Ritchie', 'White book, signed', 'shipped', 45, 18],
  ['Hedy Lamarr', 'Piano roll, 88 frequencies', 'shipped', 88, 22],
  ['Tony Hoare', 'Billion-dollar eraser', 'shipped', 9.75, 26],
  ['Frances Allen', 'Optimised office chair', 'delivered', 310.4, 31],
  ['Leslie Lamport', 'Wall clocks, partially ordered', 'delivered', 156, 38],
  ['Karen Spärck Jones', 'Index cards, 5,000', 'delivered', 33.6, 47],
  ['Ken Thompson', 'Travel chess computer', 'delivered', 199, 55],
  ['Shafi Goldwasser', 'Sealed box, contents proven', 'completed', 720, 70],
  ['John McCarthy', 'Parentheses, (((assorted)))', 'completed', 12.4, 85],
  ['Lynn Conway', 'Chip design, wall poster', 'completed', 27.5, 100],
  ['Annie Easley', 'Centaur rocket, 1:72', 'completed', 54.95, 120],
  ['Niklaus Wirth', 'Wooden blocks, well-formed', 'completed', 39, 150],
  ['Mary Jackson', 'Wind tunnel, desktop', 'cancelled', 960, 44],
  ['Charles Babbage', 'Difference engine, second try', 'cancelled', 17000, 160],
]

/** @returns how many were inserted. Those of a sample user are linked to them. */
export async function insertSampleOrders(client: pg.Client): Promise<number> {
  // The oldest first, so that ids rise with time. Every fourth customer has left no address.
  const oldestFirst = samples.toSorted((a, b) => b[4] - a[4])
  const rows = oldestFirst.map(([customer, product, status, amount, hours], place) => ({
    customer,
    product,
    status,
    amount,
    hours,
    email: place % 4 === 3 ? null : sampleAddress(customer),
    user_email: sampleAddress(customer),
  }))
  await client.query(
    `INSERT INTO orders (customer_name, product_name, status, amount, customer_email, customer_id, created_at, updated_at)
     SELECT customer, product, status, amount, email,
            (SELECT min(id) FROM users WHERE users.email = user_email), at, at
       FROM json_to_recordset($1) AS sample(customer text, product text, status text,
              amount numeric, email text, user_email text, hours double precision)
      CROSS JOIN LATERAL (SELECT now() - hours * interval '1 hour' AS at) AS placed`,
    [JSON.stringify(rows)],
  )
  return rows.length
}

/** `Karen Spärck Jones` → `karen.sparck.jones@belfry.example` */
export function sampleAddress(name: string): string {
  const ascii = name.normalize('NFD').replace(/[^\p{ASCII}]/gu, '')
  return `${ascii.toLowerCase().replaceAll(' ', '.')}@${sampleDomain}`
}
