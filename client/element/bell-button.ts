import type { Counts } from '../../protocol/notification.ts'
import { draw, make, rename, say } from './dom.ts'
import { shortCount } from './panel.ts'

/** What stands in the page: a bell with the count of what was not seen yet. */
export function makeBell(panel: HTMLElement) {
  const badge = make('span', { class: 'badge', part: 'badge', 'aria-hidden': 'true' })
  const element = make(
    'button',
    { type: 'button', class: 'bell', part: 'bell' },
    draw('bell'),
    badge,
  )
  element.popoverTargetElement = panel
  element.addEventListener('animationend', () => element.classList.remove('rings'))
  return {
    element,
    /** @param counts null: of nobody */
    show(counts: Counts | null) {
      const unseen = counts?.unseen ?? 0
      badge.hidden = unseen === 0
      say(badge, shortCount(unseen))
      rename(element, nameOf(counts))
    },
    /** It swings once. */
    ring() {
      element.classList.add('rings')
    },
  }
}

function nameOf(counts: Counts | null): string {
  if (counts === null) return 'Inbox'
  const { unseen, unread, capped } = counts
  const more = capped ? ' or more' : ''
  if (unseen > 0) return `Inbox, ${unseen}${more} new`
  return unread > 0 ? `Inbox, ${unread}${more} unread` : 'Inbox'
}
