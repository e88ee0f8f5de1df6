import type pg from 'pg'
import { sampleAddress, sampleDomain } from './sample-orders.ts'

/** Some of the customers of the sample orders and of the demo, and where they live. */
const samples: [name: string, timeZone: string][] = [
  ['Ada Lovelace', 'Europe/London'],
  ['Grace Hopper', 'America/New_York'],
  ['Alan Turing', 'Europe/London'],
  ['Barbara Liskov', 'America/Los_Angeles'],
  ['Hedy Lamarr', 'Europe/Vienna'],
  ['Radia Perlman', 'America/New_York'],
]

/** @returns how many were inserted. Earlier sample orders become theirs. */
export async function insertSampleUsers(client: pg.Client): Promise<number> {
  const rows = samples.map(([name, zone]) => ({ name, zone, email: sampleAddress(name) }))
  await client.query(
    `INSERT INTO users (name, email, time_zone)
     SELECT name, email, zone FROM json_to_recordset($1) AS sample(name text, email text, zone text)`,
    [JSON.stringify(rows)],
  )
  await client.query(
    `UPDATE orders SET customer_id = users.id FROM users
      WHERE orders.customer_id IS NULL AND orders.customer_email = users.email
        AND users.email LIKE '%@' || $1`,
    [sampleDomain],
  )
  return rows.length
}
