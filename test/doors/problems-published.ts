import { problems } from '../../protocol/problems.ts'

export const PROBLEM_CODES = Object.keys(problems)

/** Every text in the document that is a code, wherever the table stands in it. */
export function problemsPublished(document: unknown): ReadonlySet<string> {
  const found = new Set<string>()
  const look = (value: unknown): void => {
    if (typeof value === 'string') found.add(value)
    else if (typeof value === 'object' && value !== null)
      for (const [name, each] of Object.entries(value)) {
        found.add(name)
        look(each)
      }
  }
  look(document)
  return found
}
