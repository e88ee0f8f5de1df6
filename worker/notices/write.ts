import { NeonDbError } from '@neondatabase/serverless'
import { askOnce, type DatabaseEnv } from '../api/database.ts'
import { databaseAdvice, databaseFailure } from '../api/database-failure.ts'
import { Unready } from '../feed/consumer.ts'
import type { Notice } from './owed.ts'

const MOST_AT_ONCE = 200

/**
 * Writes notifications that are owed. What is there already, by its origin, stays as it is.
 * @returns why some were not written, each in a sentence; the others are
 * @throws Unready if the database cannot be asked
 */
export async function writeNotices(
  env: DatabaseEnv,
  notices: readonly Notice[],
): Promise<string[]> {
  const failures: string[] = []
  for (let from = 0; from < notices.length; from += MOST_AT_ONCE)
    failures.push(...(await writeTogether(env, notices.slice(from, from + MOST_AT_ONCE))))
  return failures
}

async function writeTogether(env: DatabaseEnv, notices: readonly Notice[]): Promise<string[]> {
  try {
    const told = notices.map(({ about: _, user, ...notice }) => ({ ...notice, user_id: user }))
    const missing = await askOnce<{ origin: string }>(env, WRITE, [JSON.stringify(told)])
    const unwritten = new Set(missing.map(({ origin }) => origin))
    return notices
      .filter(({ origin }) => unwritten.has(origin))
      .map(({ about, user }) => `${about}: there is no user ${user}.`)
  } catch (error) {
    if (!isRefusal(error))
      throw new Unready(
        `Notifications that are owed could not be written, so this waits. ${databaseAdvice(error)}`,
      )
    const [first] = notices
    if (notices.length === 1 && first) return [`${first.about}: ${databaseAdvice(error)}`]
    // One of them is refused: each by itself, so that the others are written.
    const each: string[] = []
    for (const notice of notices) each.push(...(await writeTogether(env, [notice])))
    return each
  }
}

/** Whether the database looked at the values and would not have them. */
function isRefusal(error: unknown): boolean {
  return (
    (error instanceof NeonDbError && databaseFailure(error)?.code === 'unprocessable') ||
    (error instanceof NeonDbError && databaseFailure(error)?.code === 'conflict')
  )
}

const WRITE = `
  WITH told AS (
    SELECT * FROM json_to_recordset($1::json)
                  AS t(origin text, user_id bigint, category text, title text, content json, link text)
  ), written AS (
    INSERT INTO notifications (origin, user_id, category, title, content, link)
    SELECT t.origin, t.user_id, t.category, t.title, t.content, t.link
      FROM told t JOIN users u ON u.id = t.user_id
        ON CONFLICT (origin) DO NOTHING
  )
  SELECT t.origin FROM told t WHERE NOT EXISTS (SELECT FROM users u WHERE u.id = t.user_id)`
