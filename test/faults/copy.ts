import pg from 'pg'

/** What pg's connection can do and its types do not tell. */
type CopyConnection = { sendCopyFromChunk(chunk: Buffer): void; endCopyFrom(): void }

/**
 * COPY … FROM STDIN over node-postgres alone: its protocol layer speaks COPY, only its Query
 * refuses. The rows go out in one piece when the server says that it is ready for them.
 */
class CopyQuery extends pg.Query {
  readonly #rows: string

  constructor(text: string, rows: string, done: (error?: Error) => void) {
    super(text, [], done)
    this.#rows = rows
  }

  handleCopyInResponse(connection: CopyConnection): void {
    connection.sendCopyFromChunk(Buffer.from(this.#rows))
    connection.endCopyFrom()
  }
}

/** @param rows in COPY's text format: tabs between columns, a newline after each row */
export function copyFrom(client: pg.Client, text: string, rows: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query(new CopyQuery(text, rows, (error) => (error ? reject(error) : resolve())))
  })
}
