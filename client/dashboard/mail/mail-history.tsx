import { formatDayTime, formatMoment } from '../format.ts'
import { clock } from '../store.ts'
import type { Occurrence } from './email.ts'
import { occurrenceState, occurrenceWord, told } from './mail-sentences.ts'

/** What happened to a mail, oldest first, as a rail of dots. */
export function MailHistory({ history }: { history: readonly Occurrence[] }) {
  return (
    <section aria-labelledby="history-title">
      <h3 class="side-title" id="history-title">
        History
      </h3>
      <ol class="history" data-test="history">
        {told(history).map((occurrence, index) => (
          // The place names one: occurrences are only ever added at the end.
          <li key={index} data-mail={occurrenceState(occurrence)} data-kind={occurrence.kind}>
            <p class="occurrence">
              {occurrenceWord(occurrence)}
              <time dateTime={occurrence.at} title={formatMoment(occurrence.at)}>
                {formatDayTime(occurrence.at, clock.value)}
              </time>
            </p>
            {occurrence.detail !== null && <p class="occurrence-detail">{occurrence.detail}</p>}
          </li>
        ))}
      </ol>
    </section>
  )
}
