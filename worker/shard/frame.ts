import {
  type HelloFrame,
  PROTOCOL,
  type ResetFrame,
  type ResetReason,
} from '../../protocol/frames.ts'

export type Range = { epoch: string; after: number; through: number }

/**
 * A `changes` frame around changes that are already text, so that a page read from the log is
 * not parsed and printed again for everyone who wants all of it. The position stands first:
 * framePosition below depends on it.
 */
export function changesFrame({ epoch, after, through }: Range, changes: string): string {
  return `{"type":"changes","epoch":"${epoch}","after":${after},"through":${through},"changes":${changes}}`
}

export function helloFrame(epoch: string, after: number): string {
  return JSON.stringify({ type: 'hello', protocol: PROTOCOL, epoch, after } satisfies HelloFrame)
}

export function resetFrame(reason: ResetReason, epoch: string, head: number): string {
  return JSON.stringify({ type: 'reset', reason, epoch, head } satisfies ResetFrame)
}

/** The position a reader has after a frame of ours, without parsing the whole of it. */
export function framePosition(frame: string): { epoch: string; offset: number } | null {
  const match =
    /^\{"type":"\w+",.*?"epoch":"([0-9a-z]+)",(?:"after":\d+,"through":|"after":|"head":)(\d+)/.exec(
      frame.slice(0, 200),
    )
  return match ? { epoch: match[1] as string, offset: Number(match[2]) } : null
}
