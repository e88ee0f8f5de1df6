import { onOneLine } from './line.ts'

/**
 * What a mail says, before it is HTML or text: both are made of this, so that they cannot differ.
 * Values in it are strangers' text. `settle` is what makes them safe to place, for every block
 * there is, so that a template need not think of it.
 */
export type Content = {
  subject: string
  /** Shown beside the subject in a list of mails. */
  preheader: string
  blocks: Block[]
  /** Why its reader gets it. */
  footnote: string
}

export type Block =
  | { kind: 'badge'; text: string; tone: Tone }
  | { kind: 'title'; text: string }
  | { kind: 'paragraph'; text: string }
  | { kind: 'facts'; facts: Fact[] }
  | { kind: 'button'; text: string; url: string }

/** `before`: what the value was. */
export type Fact = { label: string; value: string; before?: string }

export type Tone = 'good' | 'neutral' | 'busy' | 'bad'

const SUBJECT_MAX = 150
const PREHEADER_MAX = 200
const TITLE_MAX = 120
const BADGE_MAX = 40
const PARAGRAPH_MAX = 600
const LABEL_MAX = 40
const VALUE_MAX = 200
const BUTTON_MAX = 40
const URL_MAX = 2_000

/** Every text on one line and not too long; a button that leads nowhere good is left out. */
export function settle({ subject, preheader, blocks, footnote }: Content): Content {
  return {
    subject: onOneLine(subject, SUBJECT_MAX),
    preheader: onOneLine(preheader, PREHEADER_MAX),
    blocks: blocks.flatMap((block) => settleBlock(block) ?? []),
    footnote: onOneLine(footnote, PARAGRAPH_MAX),
  }
}

function settleBlock(block: Block): Block | null {
  switch (block.kind) {
    case 'badge':
      return { ...block, text: onOneLine(block.text, BADGE_MAX) }
    case 'title':
      return { ...block, text: onOneLine(block.text, TITLE_MAX) }
    case 'paragraph':
      return { ...block, text: onOneLine(block.text, PARAGRAPH_MAX) }
    case 'facts':
      return { kind: 'facts', facts: block.facts.map(settleFact) }
    case 'button': {
      const url = safeUrl(block.url)
      return url === null ? null : { kind: 'button', text: onOneLine(block.text, BUTTON_MAX), url }
    }
  }
}

function settleFact({ label, value, before }: Fact): Fact {
  return {
    label: onOneLine(label, LABEL_MAX),
    value: onOneLine(value, VALUE_MAX),
    ...(before === undefined ? {} : { before: onOneLine(before, VALUE_MAX) }),
  }
}

/** What a reader may be led to: https, or http on this very machine. */
export function safeUrl(text: string): string | null {
  const url = URL.parse(text)
  if (!url || url.href.length > URL_MAX || url.username !== '' || url.password !== '') return null
  if (url.protocol === 'https:') return url.href
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  return url.protocol === 'http:' && isLocal ? url.href : null
}
