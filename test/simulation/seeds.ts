/**
 * Schedules in which a broken decision shows (mutations.ts), by what happens in them: with the
 * real ones they keep every promise. A change to the simulation makes other schedules of them;
 * they are then a few among many, and new ones are found with `--broken`.
 */
export const seeds: { readonly [what: string]: number } = {
  'a writer that read "awake" commits after the listener lay down': 4_393,
  'a leader that lost its session sends its batch after the next one has opened its link': 2,
  'a listener dies between the lock and its term, and its session stays': 232,
  'a listener dies after its batch was appended, and the feed drains the same rows': 39,
  'a leader links late with rows that the feed has drained in its place, and pruned since': 8_422,
  'the feed is reset in the midst of a drain, and a leader comes with rows from before': 1_040_988,
  'a stalled link of the same term brings its batch after it was sent again': 45_285,
}
