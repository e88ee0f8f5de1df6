import type { Notification } from '../../protocol/notification.ts'
import { draw, iconButton, make, rename, say, set } from './dom.ts'
import { safeLink } from './safe-link.ts'
import { longTime, shortTime } from './times.ts'

export type RowActions = {
  /** @returns whether its link is followed */
  select(one: Notification): boolean
  mark(one: Notification, mark: 'read' | 'archived', to: boolean): void
}

export type Row = {
  readonly element: HTMLLIElement
  /** What is focused by the arrow keys. */
  readonly main: HTMLElement
  readonly shown: Notification
  /** @param isNew it was delivered since the list was opened the last time */
  update(one: Notification, isNew: boolean, nowMs: number): void
}

/** One notification. Must hold: what it says is text, whatever it says; see `dom.ts`. */
export function makeRow(first: Notification, actions: RowActions): Row {
  let shown = first
  let updated: Notification | null = null
  const url = safeLink(first.link, document.baseURI)
  const title = make('span', { class: 'title', part: 'item-title', dir: 'auto' })
  const text = make('span', { class: 'text', part: 'item-text', dir: 'auto' })
  const category = make('span', { class: 'category', dir: 'auto' })
  const time = make('time', { part: 'time' })
  const meta = make('span', { class: 'meta' }, category, time)
  const main = url ? link(url) : make('button', { type: 'button', 'aria-expanded': 'false' })
  const unread = make('span', { class: 'unseen' })
  main.append(unread, title, text, meta)
  set(main, 'class', 'main')
  main.addEventListener('click', (event) => {
    if (!actions.select(shown)) event.preventDefault()
    if (!url) set(main, 'aria-expanded', String(main.ariaExpanded !== 'true'))
  })
  const read = iconButton('', 'check', () => actions.mark(shown, 'read', !shown.read))
  const archive = iconButton('', 'archive', () => actions.mark(shown, 'archived', !shown.archived))
  const element = make(
    'li',
    { part: 'item' },
    main,
    make('span', { class: 'actions', part: 'actions' }, read, archive),
  )
  return {
    element,
    main,
    get shown() {
      return shown
    },
    update(one, isNew, nowMs) {
      say(time, shortTime(one.delivered_at, nowMs))
      set(element, 'data-new', isNew)
      if (one === updated) return
      shown = updated = one
      set(element, 'data-unread', !one.read)
      say(title, one.title)
      say(text, textOf(one))
      say(category, one.category === 'general' ? '' : one.category)
      set(time, 'datetime', one.delivered_at)
      set(time, 'title', longTime(one.delivered_at))
      turn(read, one.read ? 'Mark as unread' : 'Mark as read', one.read ? 'dot' : 'check')
      turn(
        archive,
        one.archived ? 'Move to inbox' : 'Archive',
        one.archived ? 'restore' : 'archive',
      )
      say(unread, one.read ? '' : 'Unread:')
    },
  }
}

function link(url: URL): HTMLAnchorElement {
  const isElsewhere = url.origin !== location.origin
  return make('a', {
    href: url.href,
    target: isElsewhere ? '_blank' : null,
    rel: isElsewhere ? 'noopener noreferrer' : null,
  })
}

function turn(button: HTMLButtonElement, name: string, drawing: Parameters<typeof draw>[0]): void {
  if (button.ariaLabel === name) return
  rename(button, name)
  button.replaceChildren(draw(drawing))
}

/** What a notification says below its title: `text`, `body` or `message` of its content. */
function textOf({ content }: Notification): string {
  const found = [content.text, content.body, content.message].find(
    (each) => typeof each === 'string' && each !== '',
  )
  return typeof found === 'string' ? found : ''
}
