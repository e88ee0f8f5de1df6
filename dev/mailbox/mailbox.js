import { element, make } from './elements.js'
import { closeReader, openReader, refreshReader } from './reader.js'
import { showBehaviour } from './switches.js'

/**
 * The list of mails. The address holds which one is read (`#id`), so a reload or the back button
 * keeps the place. What is new or has changed comes as server-sent events; after a break the list
 * is read again as a whole.
 */
const list = element('list')
const wide = matchMedia('(min-width: 761px)')

/** Newest first, without their texts. */
let mails = []
const read = new Set()

follow()
addEventListener('hashchange', show)
addEventListener('keydown', onKey)
element('clear').addEventListener('click', clear)
element('back').addEventListener('click', () => choose(null))

function follow() {
  const events = new EventSource('/mails/live')
  events.addEventListener('open', async () => {
    const response = await fetch('/mails?brief')
    mails = await response.json()
    say('live')
    list.replaceChildren(...mails.map(entry))
    show()
  })
  events.addEventListener('error', () => say('reconnecting'))
  events.addEventListener('behaviour', ({ data }) => showBehaviour(JSON.parse(data)))
  events.addEventListener('mail', ({ data }) => take(JSON.parse(data)))
  events.addEventListener('cleared', () => {
    mails = []
    list.replaceChildren()
    show()
  })
}

function take(mail) {
  const at = mails.findIndex(({ id }) => id === mail.id)
  if (at >= 0) {
    mails[at] = mail
    redraw(mail)
    return
  }
  mails.unshift(mail)
  const added = entry(mail)
  const link = added.firstElementChild
  link.dataset.new = ''
  link.addEventListener('animationend', () => delete link.dataset.new)
  list.prepend(added)
  while (mails.length > 1_000) {
    mails.pop()
    list.lastElementChild.remove()
  }
  show()
}

function redraw(mail) {
  const link = linkTo(mail.id)
  if (!link) return
  const drawn = entry(mail).firstElementChild
  for (const name of ['new', 'read']) if (name in link.dataset) drawn.dataset[name] = ''
  if (mail.id === chosenId()) drawn.setAttribute('aria-current', 'true')
  link.replaceChildren(...drawn.children)
  refreshReader(mail)
}

/** Draws everything but the entries from `mails` and the address. */
function show() {
  const mail = mails.find(({ id }) => id === chosenId())
  element('count').textContent = mails.length === 1 ? '1 mail' : `${mails.length || 'No'} mails`
  element('clear').hidden = mails.length === 0
  element('empty').hidden = mails.length > 0
  list.hidden = mails.length === 0
  element('choose').hidden = Boolean(mail) || mails.length === 0
  document.body.dataset.view = mail ? 'mail' : mails.length > 0 ? 'list' : 'empty'
  for (const link of list.querySelectorAll('[aria-current]')) link.removeAttribute('aria-current')
  if (!mail) return closeReader()
  read.add(mail.id)
  const link = linkTo(mail.id)
  link.setAttribute('aria-current', 'true')
  link.dataset.read = ''
  link.scrollIntoView({ block: 'nearest' })
  openReader(mail)
}

function entry(mail) {
  const at = new Date(mail.at)
  const isToday = at.toDateString() === new Date().toDateString()
  const shown = isToday
    ? at.toLocaleTimeString(undefined, { timeStyle: 'medium' })
    : at.toLocaleDateString(undefined, { day: 'numeric', month: 'short' })
  const fate = fateOf(mail)
  const link = make(
    'a',
    { href: `#${mail.id}` },
    make('span', { className: 'to' }, mail.to.join(', ')),
    make('time', { dateTime: mail.at, title: at.toLocaleString() }, shown),
    make('span', { className: 'about' }, mail.subject),
    make('span', { className: `fate ${fate}` }, fate),
  )
  link.dataset.id = mail.id
  if (read.has(mail.id)) link.dataset.read = ''
  return make('li', {}, link)
}

/** What has become of it by now; drawn again when that changes. */
function fateOf(mail) {
  const now = Date.now()
  const ahead = mail.events.find((event) => Date.parse(event.at) > now)
  if (ahead) setTimeout(() => redraw(mail), Date.parse(ahead.at) - now + 1)
  const last = mail.events.findLast((event) => Date.parse(event.at) <= now)
  return last ? last.type.replace('email.', '') : 'taken'
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('form')) return
  if (event.key === 'Escape') choose(null)
  const by = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key]
  if (!by || mails.length === 0 || event.target.closest('#body-text')) return
  event.preventDefault()
  const at = mails.findIndex(({ id }) => id === chosenId())
  const next = mails[Math.max(0, Math.min(mails.length - 1, at < 0 ? 0 : at + by))]
  choose(next.id)
  if (wide.matches) linkTo(next.id).focus()
}

async function clear() {
  if (confirm(`Delete ${element('count').textContent}?`))
    await fetch('/mails', { method: 'DELETE' })
}

function choose(id) {
  if (id) location.hash = id
  else {
    history.pushState(null, '', location.pathname)
    show()
  }
}

function chosenId() {
  return location.hash.slice(1)
}

function linkTo(id) {
  return list.querySelector(`[data-id="${CSS.escape(id)}"]`)
}

function say(state) {
  element('state').dataset.state = state
  element('state').textContent = state
}
