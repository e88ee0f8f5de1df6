import type { InboxReaders } from './inbox-consumer.ts'

/** Kept in the feed's own storage, through all its lives. */
export function inboxReaders(sql: SqlStorage): InboxReaders {
  sql.exec('CREATE TABLE IF NOT EXISTS inbox_readers (user TEXT PRIMARY KEY) WITHOUT ROWID')
  return {
    has: (user) =>
      sql.exec('SELECT 1 FROM inbox_readers WHERE user = ?', user).toArray().length > 0,
    add: (user) => void sql.exec('INSERT OR IGNORE INTO inbox_readers VALUES (?)', user),
    forget: (user) => void sql.exec('DELETE FROM inbox_readers WHERE user = ?', user),
    all: () =>
      sql
        .exec<{ user: string }>('SELECT user FROM inbox_readers')
        .toArray()
        .map(({ user }) => user),
  }
}
