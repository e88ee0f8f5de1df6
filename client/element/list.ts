import type { Notification } from '../../protocol/notification.ts'
import { make } from './dom.ts'
import { makeRow, type Row, type RowActions } from './row.ts'
import { dayName } from './times.ts'

export type List = {
  readonly element: HTMLUListElement
  show(notifications: readonly Notification[], fresh: ReadonlySet<number>): void
  /** From the notification that has the focus, or the first. */
  step(by: number): void
  /** Which has the focus. */
  focused(): Notification | null
}

/** Notifications under the days on which they came. A row keeps its element as long as it is shown. */
export function makeList(actions: RowActions): List {
  const element = make('ul', { part: 'list' })
  let rows = new Map<number, Row>()

  return {
    element,
    show(notifications, fresh) {
      const nowMs = Date.now()
      const was = focusedAt()
      const kept = new Map<number, Row>()
      const children: Element[] = []
      let day = ''
      for (const one of notifications) {
        const dayOfOne = dayName(one.delivered_at, nowMs)
        if (dayOfOne !== day) {
          day = dayOfOne
          children.push(heading(day))
        }
        const before = rows.get(one.id)
        const row = before && before.shown.link === one.link ? before : makeRow(one, actions)
        row.update(one, fresh.has(one.id), nowMs)
        kept.set(one.id, row)
        children.push(row.element)
      }
      rows = kept
      arrange(element, children)
      // What was focused has gone: whoever uses the keyboard goes on with the next one.
      if (was !== -1 && focusedAt() === -1) focusAt(Math.min(was, rows.size - 1))
    },
    step(by) {
      const at = focusedAt()
      focusAt(at === -1 ? 0 : Math.max(0, Math.min(rows.size - 1, at + by)))
    },
    focused: () => [...rows.values()][focusedAt()]?.shown ?? null,
  }

  function focusedAt(): number {
    const { activeElement } = element.getRootNode() as ShadowRoot
    return [...rows.values()].findIndex(
      (row) => activeElement !== null && row.element.contains(activeElement),
    )
  }

  function focusAt(index: number): void {
    ;[...rows.values()][index]?.main.focus()
  }
}

function heading(day: string): HTMLLIElement {
  const item = make('li', { class: 'day', part: 'day' }, day)
  item.dataset.day = day
  return item
}

/** Moves only what is out of its place, so that focus and scrolling stay. */
function arrange(list: Element, children: readonly Element[]): void {
  const wanted = new Set(children)
  const days = new Set(children.map((child) => (child as HTMLElement).dataset.day))
  for (const child of [...list.children] as HTMLElement[]) {
    const stays = child.dataset.day === undefined ? wanted.has(child) : days.has(child.dataset.day)
    if (!stays) child.remove()
  }
  let at = list.firstElementChild
  for (const child of children) {
    const day = (child as HTMLElement).dataset.day
    if (day !== undefined && (at as HTMLElement | null)?.dataset.day === day) {
      at = at?.nextElementSibling ?? null
      continue
    }
    if (at === child) at = at.nextElementSibling
    else list.insertBefore(child, at)
  }
  while (at) {
    const next = at.nextElementSibling
    at.remove()
    at = next
  }
}
