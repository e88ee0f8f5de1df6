/**
 * How much may lie between a shard and its subscribers, sent and not read: what is sent and not
 * taken waits in the shard's memory, of which the vendor gives an object 128 MB.
 *
 * The budgets are shared by those who are there; the least is not. It is what a flood needs where
 * frames are not deflated: with 256 KB for each of 1,000 readers, and so frames of 128 KB, a shard
 * told them 640 changes a second, with 1 MB 930 to 1,080.
 */
const MB = 1024 * 1024
/**
 * What `hello` says to a subscriber that acknowledges, so that it does so in time: it is given
 * more. Less would cost more in acknowledgements (30 µs of CPU each, as much as a frame).
 */
export const WINDOW_BYTES = 256 * 1024
const MIN_WINDOW_BYTES = MB
const MAX_WINDOW_BYTES = 4 * MB
const WINDOWS_BYTES = 64 * MB
const MIN_TRUST_BYTES = 4 * MB
const MAX_TRUST_BYTES = 64 * MB
const TRUSTS_BYTES = 256 * MB
const MAX_PAGE_CHARACTERS = 512 * 1024

/** What workerd needs for one frame to one socket, measured: 26 µs in the program, 11 in the system. */
const FRAME_MS = 0.036
/**
 * So much longer than they need, as the thread has other work. At 1,000 readers and 100 changes a
 * second the median was 143 to 151 ms with nothing to spare, 48 to 59 with this, 64 to 66 with 2.2.
 */
const SPARE = 1.4
/** So few are told within 11 ms; a wait would only be noise. */
const FEW_FRAMES = 300

export type Limits = {
  /** Over this, a subscriber that acknowledges is sent nothing until it has. */
  windowBytes: number
  /** Over this, one that does not is sent no more than it is assumed to read. */
  trustBytes: number
  /** How much of the log goes into one frame. */
  pageCharacters: number
}

/** @param acking how many subscribers acknowledge, and how many are silent */
export function limitsFor(acking: number, silent: number): Limits {
  const windowBytes = clamp(WINDOWS_BYTES / acking, MIN_WINDOW_BYTES, MAX_WINDOW_BYTES)
  return {
    windowBytes,
    trustBytes: clamp(TRUSTS_BYTES / silent, MIN_TRUST_BYTES, MAX_TRUST_BYTES),
    // Powers of two, so that those who read the same page ask for the same although others come.
    pageCharacters: Math.min(MAX_PAGE_CHARACTERS, 2 ** Math.floor(Math.log2(windowBytes / 2))),
  }
}

/** How long the sockets need for so many frames: what is sent sooner only waits in them. */
export function pauseAfter(frames: number): number {
  return frames > FEW_FRAMES ? frames * FRAME_MS * SPARE : 0
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value))
}
