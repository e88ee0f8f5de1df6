import { formatCount } from '../format.ts'
import { log, pane } from '../store.ts'

/** Chooses between orders and log where they do not fit side by side. */
export function Panes() {
  const { entries, dropped } = log.value
  return (
    <fieldset class="panes">
      <legend class="unseen">Show</legend>
      <Choice name="orders" title="Orders" />
      <Choice name="activity" title="Activity" count={entries.length + dropped} />
    </fieldset>
  )
}

type ChoiceProps = { name: typeof pane.value; title: string; count?: number }

function Choice({ name, title, count = 0 }: ChoiceProps) {
  return (
    <button
      type="button"
      aria-pressed={pane.value === name}
      onClick={() => {
        pane.value = name
      }}
    >
      {title} {count > 0 && <span class="chip-count">{formatCount(count)}</span>}
    </button>
  )
}
