/**
 * A row's primary key as one text: `{"id":7}`, columns in alphabetical order, so
 * that the key of a change, of an old image and of a snapshot's row agree.
 * @throws TypeError when the row lacks one of the columns
 */
export function rowKey(row: object, columns: readonly string[] = ['id']): string {
  const key = columns.toSorted().map((column) => {
    const value = field(row, column)
    if (value === undefined)
      throw new TypeError(`a row has no column "${column}", named in its key`)
    return [column, value] as const
  })
  return JSON.stringify(Object.fromEntries(key))
}

export function field(row: object, column: string): unknown {
  return (row as Record<string, unknown>)[column]
}
