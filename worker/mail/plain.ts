import type { Block, Content, Fact } from './content.ts'

/** The letter for who reads no HTML: what markup.ts shows, line by line. */
export function plain({ blocks, footnote }: Content, unsubscribeUrl: string | null): string {
  const parts = blocks.flatMap((block) => paragraphOf(block) ?? [])
  const footer = [footnote, ...(unsubscribeUrl ? [`Unsubscribe: ${unsubscribeUrl}`] : [])]
  return `${[...parts, `-- \n${footer.join('\n')}`].join('\n\n')}\n`
}

/** A badge says nothing that the title does not. */
function paragraphOf(block: Block): string | null {
  switch (block.kind) {
    case 'badge':
      return null
    case 'title':
    case 'paragraph':
      return block.text
    case 'facts':
      return factLines(block.facts)
    case 'button':
      return `${block.text}: ${block.url}`
  }
}

const LABEL_WIDTH_MAX = 20

function factLines(facts: readonly Fact[]): string {
  const width = Math.min(LABEL_WIDTH_MAX, Math.max(0, ...facts.map(({ label }) => label.length)))
  return facts
    .map(({ label, value, before }) => {
      const said = before === undefined ? value : `${before} → ${value}`
      return `${`${label}:`.padEnd(width + 2)}${said}`.trimEnd()
    })
    .join('\n')
}
