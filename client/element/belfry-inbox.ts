import type { Notification } from '../../protocol/notification.ts'
import { type Inbox, inboxOn } from '../sdk/inbox.ts'
import { platform } from '../sdk/platform.ts'
import type { Token } from '../sdk/token.ts'
import { Announcer } from './announcer.ts'
import bellCss from './bell.css?inline'
import { makeBell } from './bell-button.ts'
import listCss from './list.css?inline'
import panelCss from './panel.css?inline'
import { makePanel } from './panel.ts'
import { place } from './placing.ts'

const REST_MS = 80
const SEEING_MS = 1_000

/**
 * `<belfry-inbox>`: a bell that counts, and the inbox of one user behind it.
 *
 *   <script type="module" src="https://belfry.example.com/belfry-inbox.js"></script>
 *   <belfry-inbox url="https://belfry.example.com"></belfry-inbox>
 *   <script type="module">
 *     document.querySelector('belfry-inbox').token = () => fetch('/my-token').then((r) => r.text())
 *   </script>
 *
 * Attribute `url`: the worker's address; without it, the page's own. Property `token`: the user's,
 * or a function that gives it; null signs out, and nothing of the user stays in the page.
 * Events: `open`; `notification`, just delivered; `select`, chosen by the user, whose default, to
 * follow its link, may be prevented. The latter two have the notification as `detail`.
 */
export class BelfryInbox extends HTMLElement {
  static readonly observedAttributes = ['url']

  #token: Token | null = null
  #store: Inbox | null = null
  #isDue = false
  #restUntil = 0
  #seeing: ReturnType<typeof setTimeout> | undefined
  #seesMore = false
  #isOpen = false
  /** Not seen when the list was opened. */
  #fresh = new Set<number>()
  readonly #panel = makePanel((one) => this.#tell('select', one))
  readonly #bell = makeBell(this.#panel.element)
  readonly #announcer = new Announcer()
  #clock: ReturnType<typeof setInterval> | undefined
  readonly #follow = () => place(this.#panel.element, this.#bell.element)

  constructor() {
    super()
    const root = this.attachShadow({ mode: 'open' })
    root.adoptedStyleSheets = [bellCss, listCss, panelCss].map(sheetOf)
    const panel = this.#panel.element
    root.append(this.#bell.element, this.#announcer.element, panel)
    panel.addEventListener('render', () => this.#render())
    panel.addEventListener('beforetoggle', (event) => {
      if ((event as ToggleEvent).newState === 'open') this.#follow()
    })
    panel.addEventListener('toggle', (event) => {
      if ((event as ToggleEvent).newState === 'open') this.#opened()
      else this.#closed()
    })
  }

  get token(): Token | null {
    return this.#token
  }

  set token(token: Token | null) {
    if (token === this.#token) return
    this.#token = token
    this.#restart()
  }

  get url(): string {
    return this.getAttribute('url') ?? location.origin
  }

  set url(url: string) {
    this.setAttribute('url', url)
  }

  /** The list, as a button of the page's own may open it. */
  open(): void {
    if (!this.#isOpen) this.#panel.element.showPopover()
  }

  close(): void {
    this.#panel.element.hidePopover()
  }

  connectedCallback(): void {
    // Set before this class was known.
    if (Object.hasOwn(this, 'token')) {
      const { token } = this
      Reflect.deleteProperty(this, 'token')
      this.token = token
    }
    document.addEventListener('visibilitychange', this.#looked)
    if (this.#store === null) this.#restart()
  }

  disconnectedCallback(): void {
    // One that is only moved is back at once.
    queueMicrotask(() => {
      if (this.isConnected) return
      document.removeEventListener('visibilitychange', this.#looked)
      this.#end()
    })
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.#restart()
  }

  #restart() {
    this.#end()
    if (this.isConnected && this.#token !== null) {
      this.#store = inboxOn(platform, {
        url: this.url,
        token: this.#token,
        onUpdate: () => this.#later(),
        onNotification: (one) => this.#arrived(one),
      })
    }
    this.#later()
  }

  #end() {
    this.#store?.close()
    this.#store = null
    this.#fresh.clear()
    this.#announcer.clear()
    clearTimeout(this.#seeing)
    this.#seeing = undefined
    this.#seesMore = false
    if (this.#isOpen) this.close()
    this.#render()
  }

  /** At once, but in a storm of notifications no oftener than an eye can follow. */
  #later() {
    if (this.#isDue) return
    this.#isDue = true
    setTimeout(
      () => {
        this.#isDue = false
        const beganAt = performance.now()
        this.#render()
        const endedAt = performance.now()
        // Never more than half of the page's time.
        this.#restUntil = endedAt + Math.max(REST_MS, endedAt - beganAt)
      },
      Math.max(0, this.#restUntil - performance.now()),
    )
  }

  #render() {
    this.#bell.show(this.#store?.counts ?? null)
    if (this.#isOpen || this.#store === null) this.#panel.show(this.#store, this.#fresh)
  }

  #opened() {
    this.#isOpen = true
    this.toggleAttribute('open', true)
    this.#fresh = new Set(this.#store?.list().flatMap(({ id, seen }) => (seen ? [] : [id])))
    this.#panel.show(this.#store, this.#fresh)
    this.#panel.begin()
    this.#panel.element.focus()
    this.#looked()
    addEventListener('resize', this.#follow)
    addEventListener('scroll', this.#follow, { capture: true, passive: true })
    this.#clock = setInterval(() => this.#render(), 30_000)
    this.dispatchEvent(new CustomEvent('open'))
  }

  #closed() {
    this.#isOpen = false
    this.toggleAttribute('open', false)
    removeEventListener('resize', this.#follow)
    removeEventListener('scroll', this.#follow, { capture: true })
    clearInterval(this.#clock)
    // Whoever went on to something else has the focus there.
    const { activeElement } = document
    if (activeElement === this || activeElement === document.body) this.#bell.element.focus()
  }

  /** What is on the screen is seen. One write for all that came within a second. */
  readonly #looked = () => {
    if (!this.#isOpen || document.visibilityState !== 'visible') return
    if (this.#seeing !== undefined) {
      this.#seesMore = true
      return
    }
    this.#store?.open()
    this.#seeing = setTimeout(() => {
      this.#seeing = undefined
      if (!this.#seesMore) return
      this.#seesMore = false
      this.#looked()
    }, SEEING_MS)
  }

  #arrived(one: Notification) {
    this.#announcer.announce(one.title)
    this.#bell.ring()
    if (this.#isOpen) {
      this.#fresh.add(one.id)
      this.#looked()
    }
    this.#tell('notification', one)
  }

  #tell(name: 'notification' | 'select', detail: Notification): boolean {
    return this.dispatchEvent(new CustomEvent(name, { detail, cancelable: name === 'select' }))
  }
}

/** Also where the page's policy allows no style in it. */
function sheetOf(css: string): CSSStyleSheet {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(css)
  return sheet
}

if (!customElements.get('belfry-inbox')) customElements.define('belfry-inbox', BelfryInbox)

declare global {
  interface HTMLElementTagNameMap {
    'belfry-inbox': BelfryInbox
  }
}
