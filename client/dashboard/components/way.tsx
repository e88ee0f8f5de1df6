import type { ComponentChildren } from 'preact'
import type { Feed } from '../feed.ts'
import { formatCount } from '../format.ts'
import {
  deliveryWord,
  feedWord,
  lagWord,
  listenerWord,
  plural,
  probeSentence,
  type Word,
} from '../sentences.ts'
import { connection, freshness, position, probe, system } from '../store.ts'
import { testConnection } from '../system.ts'
import { Icon } from './icon.tsx'
import { LatencyStation } from './latency-station.tsx'

/** The way of a change, station by station: where it stops is where to look. */
export function Way({ feed }: { feed: Feed }) {
  return (
    <section class="way" aria-label="The way of a change">
      <ol class="stations" data-beat={beatSide()}>
        <Postgres />
        <Listener />
        <FeedHead />
        <Screen />
        <LatencyStation />
      </ol>
      <div class="way-actions">
        <p class="probe" role="status" data-test="probe">
          {probeSentence(probe.value)}
        </p>
        <button
          type="button"
          class="button"
          title="Socket and HTTP, there and back"
          disabled={probe.value.state === 'running'}
          onClick={() => testConnection(() => feed.ping())}
        >
          <Icon name="pulse" />
          Test connection
        </button>
        <button type="button" class="button" title="Reconnect (R)" onClick={() => feed.reconnect()}>
          <Icon name="reconnect" />
          Reconnect
        </button>
      </div>
    </section>
  )
}

/** Changes with each canary that has come, so that it is seen to run along the rail. */
function beatSide(): number | undefined {
  const reading = system.value
  const { canary = null, delivering = false } = reading.state === 'read' ? reading.status : {}
  return delivering && canary ? canary.beat % 2 : undefined
}

function Postgres() {
  return (
    <Station name="Postgres" word={lagWord(system.value)} test="lag">
      outbox lag
    </Station>
  )
}

function Listener() {
  const reading = system.value
  const listener = reading.state === 'read' ? reading.status.listener : { present: false as const }
  const feedDrains = reading.state === 'read' && reading.status.drain.by === 'feed'
  return (
    <Station name="Listener" word={listenerWord(reading)} test="listener">
      {listener.present ? (
        <span title={`${listener.name}, since ${listener.since}`}>
          term {formatCount(listener.term)}
        </span>
      ) : (
        <span>{feedDrains ? 'the feed drains' : 'no term'}</span>
      )}
    </Station>
  )
}

function FeedHead() {
  const reading = system.value
  const here = position.value
  if (reading.state !== 'read')
    return (
      <Station name="Feed" word={feedWord(reading, 0)} test="feed">
        head unknown
      </Station>
    )
  const { epoch, head, sockets } = reading.status
  // The status is read every few seconds; a change that is here has certainly been there.
  const known = here?.epoch === epoch ? Math.max(head, here.offset) : head
  return (
    <Station name="Feed" word={feedWord(reading, known)} test="feed">
      {plural(sockets, 'socket', 'sockets')}
    </Station>
  )
}

function Screen() {
  const here = position.value
  return (
    <Station
      name="This screen"
      word={
        here === null
          ? { word: '–', tone: 'wait' }
          : {
              word: formatCount(here.offset),
              tone: deliveryWord(connection.value, freshness.value, system.value).tone,
            }
      }
      test="position"
    >
      {here === null ? 'no position yet' : <span title={here.epoch}>epoch {here.epoch}</span>}
    </Station>
  )
}

type StationProps = { name: string; word: Word; test: string; children: ComponentChildren }

function Station({ name, word: { word, tone }, test, children }: StationProps) {
  return (
    <li class="station" data-tone={tone} data-test={test}>
      <span class="station-name">
        <span class="dot" />
        {name}
      </span>
      <span class="station-word">{word}</span>
      <span class="station-note">{children}</span>
    </li>
  )
}
