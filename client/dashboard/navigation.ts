import { computed, signal } from '@preact/signals'
import { readRoute } from './route.ts'

const address = signal(location.href)
export const route = computed(() => readRoute(address.value))

/** Pages of this script: any other address is the browser's to load. */
const OURS = /^\/(mail|orders\/\d+)?$/

export function navigate(path: string, { replace = false } = {}): void {
  if (new URL(path, location.href).href === location.href) return
  if (replace) history.replaceState(history.state, '', path)
  else history.pushState({ within: true }, '', path)
  arrive()
}

/** Back to where the link to here was, or, if the page began here, to `path`. */
export function leaveTo(path: string): void {
  if ((history.state as { within?: boolean } | null)?.within) history.back()
  else navigate(path, { replace: true })
}

/**
 * A link that stands where no click of it is heard.
 * @returns whether it leads to a page of this script, which is then shown
 */
export function followWithin(link: string): boolean {
  const url = URL.parse(link, location.href)
  if (url === null || !isOurs(url)) return false
  navigate(url.pathname + url.search)
  return true
}

/** Links between our pages change the address without loading it. */
export function watchNavigation(): void {
  addEventListener('popstate', arrive)
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    const link = (event.target as Element | null)?.closest?.('a')
    if (link?.target !== '' || link.hasAttribute('download')) return
    const url = new URL(link.href, location.href)
    if (!isOurs(url)) return
    event.preventDefault()
    navigate(url.pathname + url.search)
  })
}

function isOurs({ origin, pathname, hash }: URL): boolean {
  return origin === location.origin && OURS.test(pathname) && hash === ''
}

function arrive(): void {
  const before = route.peek()
  address.value = location.href
  const now = route.peek()
  const stays = before.page === now.page && paneOf(before) === paneOf(now)
  if (stays) return
  scrollTo(0, 0)
  // The link that was followed may be gone with its page, and the focus with it.
  requestAnimationFrame(() => {
    if (document.activeElement === document.body) document.querySelector('main')?.focus()
  })
}

function paneOf(at: ReturnType<typeof readRoute>): string {
  if (at.page === 'order') return String(at.id)
  return at.page === 'mail' ? at.pane : ''
}
