import type { Mark, Notification } from '../../protocol/notification.ts'
import type { Inbox } from '../sdk/inbox.ts'
import type { Listing } from '../sdk/inbox-held.ts'
import type { Marking } from '../sdk/inbox-marks.ts'
import { draw, iconButton, make, say, set } from './dom.ts'
import { makeList } from './list.ts'
import { makeToast } from './toast.ts'
import { troubleOf } from './trouble.ts'

export type Panel = {
  readonly element: HTMLElement
  /** @param fresh delivered since the list was opened the last time */
  show(store: Inbox | null, fresh: ReadonlySet<number>): void
  /** As it is when it is opened. */
  begin(): void
}

/** @returns whether the link is followed */
type Select = (one: Notification) => boolean

const filters: readonly [Listing, string][] = [
  ['active', 'Inbox'],
  ['unread', 'Unread'],
  ['archived', 'Archived'],
]

const empty: Record<Listing, [string, string]> = {
  active: ['You’re all caught up', 'What is new appears here at once.'],
  unread: ['Nothing unread', 'You have read everything in your inbox.'],
  archived: ['Nothing archived', 'What you archive is kept here.'],
  all: ['Nothing here', ''],
}

/** The list with its filters, and what can be done with it. */
export function makePanel(select: Select): Panel {
  let store: Inbox | null = null
  let listing: Listing = 'active'
  let isReading = false
  let olderFailed = ''

  const title = make('h2', { part: 'title', id: 'title' }, 'Inbox')
  const allRead = make('button', { type: 'button', class: 'quiet', part: 'button' })
  allRead.append(draw('checks'), 'Mark all read')
  const close = iconButton('Close', 'close', () => element.hidePopover())
  close.classList.add('close')
  const tabs = filters.map(([name, label]) => {
    const count = make('span', { class: 'count' })
    const tab = make('button', { type: 'button', part: 'filter' }, label, count)
    tab.addEventListener('click', () => turnTo(name))
    return { name, tab, count }
  })
  const trouble = make('p', { class: 'trouble', part: 'trouble', role: 'status' })
  const troubleText = make('span')
  const retry = make('button', { type: 'button', class: 'link' }, 'Try now')
  trouble.append(troubleText, retry)
  const list = makeList({
    select(one) {
      if (!one.read) store?.mark(one.id, 'read')
      return select(one)
    },
    mark,
  })
  const older = make('button', { type: 'button', class: 'older', part: 'button' })
  const nothing = make('div', { class: 'empty', part: 'empty' })
  const emptyTitle = make('p', { class: 'empty-title' })
  const emptyText = make('p')
  nothing.append(draw('bell'), emptyTitle, emptyText)
  const waiting = make('div', { class: 'waiting', 'aria-hidden': 'true' })
  for (let bar = 0; bar < 4; bar++) waiting.append(make('span'))
  const scroller = make('div', { class: 'scroller' }, list.element, nothing, waiting, older)
  const toast = makeToast()
  const element = make(
    'div',
    { class: 'panel', part: 'panel', popover: 'auto', role: 'dialog', 'aria-labelledby': 'title' },
    make('header', { part: 'header' }, title, allRead, close),
    make('div', { class: 'filters', part: 'filters', role: 'group', 'aria-label': 'Show' }),
    trouble,
    scroller,
    toast.element,
  )
  element.tabIndex = -1
  element.querySelector('.filters')?.append(...tabs.map(({ tab }) => tab))
  allRead.addEventListener('click', () => {
    if (store) offerUndo('All marked as read', store.markAll('read'))
  })
  retry.addEventListener('click', () => store?.reconnect())
  older.addEventListener('click', () => void readOlder())
  element.addEventListener('keydown', onKey)
  new IntersectionObserver(
    (entries) => {
      if (olderFailed === '' && entries.some(({ isIntersecting }) => isIntersecting))
        void readOlder()
    },
    { root: scroller, rootMargin: '200px' },
  ).observe(older)

  return { element, show, begin: () => turnTo('active') }

  function show(shown: Inbox | null, fresh: ReadonlySet<number>) {
    if (shown !== store) {
      store = shown
      listing = 'active'
      olderFailed = ''
      toast.hide()
    }
    const notifications = store?.list(listing) ?? []
    const counts = store?.counts
    for (const { name, tab, count } of tabs) {
      set(tab, 'aria-pressed', String(name === listing))
      say(count, name === 'unread' && counts && counts.unread > 0 ? shortCount(counts.unread) : '')
    }
    allRead.disabled = !counts || counts.unread === 0
    const wrong = troubleOf(store)
    trouble.hidden = wrong === null
    say(troubleText, wrong?.text ?? '')
    retry.hidden = !wrong?.canRetry
    list.show(notifications, fresh)
    const isLoading = store?.freshness.state === 'loading' || isReading
    const isKnown = store?.freshness.state === 'current' && store.hasOlder(listing) === false
    waiting.hidden = notifications.length > 0 || !isLoading
    nothing.hidden = notifications.length > 0 || isLoading || !isKnown
    say(emptyTitle, empty[listing][0])
    say(emptyText, empty[listing][1])
    older.hidden = !store?.hasOlder(listing) || (notifications.length === 0 && olderFailed === '')
    // Filed all at once elsewhere: what is archived was never read here.
    if (isStarved()) queueMicrotask(() => void (isStarved() && readOlder()))
    say(older, olderFailed || (isReading ? 'Reading older ones…' : 'Show older'))
  }

  function turnTo(next: Listing) {
    listing = next
    olderFailed = ''
    scroller.scrollTop = 0
    render()
  }

  /** Nothing to show, though there may be something. */
  function isStarved(): boolean {
    if (isReading || olderFailed !== '' || store?.freshness.state !== 'current') return false
    return store.list(listing).length === 0 && store.hasOlder(listing)
  }

  async function readOlder() {
    if (isReading || !store) return
    const of = store
    isReading = true
    olderFailed = ''
    render()
    try {
      await of.older(listing)
    } catch (error) {
      if (of === store)
        olderFailed = `${error instanceof Error ? error.message : error} – try again`
    } finally {
      isReading = false
      if (of === store) render()
    }
  }

  function mark(one: Notification, which: Mark, to: boolean) {
    if (!store) return
    const marking = store.mark(one.id, which, to)
    if (which === 'archived') offerUndo(to ? 'Archived' : 'Back in the inbox', marking)
    else marking.done.catch(refused)
  }

  function offerUndo(text: string, marking: Marking) {
    toast.show(text, () => void marking.undo().catch(refused))
    marking.done.catch(refused)
  }

  function refused(error: unknown) {
    toast.show(`Not done: ${error instanceof Error ? error.message : error}`, null)
  }

  function onKey(event: KeyboardEvent) {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const one = list.focused()
    if (event.key === 'ArrowDown') list.step(1)
    else if (event.key === 'ArrowUp') list.step(-1)
    else if (event.key === 'e' && one) mark(one, 'archived', !one.archived)
    else if (event.key === 'u' && one) mark(one, 'read', !one.read)
    else return
    event.preventDefault()
    // A page's own single keys are not meant.
    event.stopPropagation()
  }

  function render() {
    element.dispatchEvent(new CustomEvent('render'))
  }
}

export function shortCount(count: number): string {
  return count > 99 ? '99+' : String(count)
}
