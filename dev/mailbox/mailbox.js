/**
 * The list of mails and the one that is read. The address holds which one that is (`#id`), so a
 * reload or the back button keeps the place. New mails come as server-sent events; after a break
 * the list is read again as a whole.
 */
const element = (id) => document.getElementById(id)
const list = element('list')
const reader = element('reader')
const wide = matchMedia('(min-width: 761px)')

/** Newest first. */
let mails = []
const read = new Set()
let tab = 'html'

follow()
addEventListener('hashchange', show)
addEventListener('keydown', onKey)
element('clear').addEventListener('click', clear)
element('back').addEventListener('click', () => choose(null))
element('tab-html').addEventListener('click', () => showTab('html'))
element('tab-text').addEventListener('click', () => showTab('text'))

function follow() {
  const events = new EventSource('/mails/live')
  events.addEventListener('open', async () => {
    const response = await fetch('/mails')
    mails = await response.json()
    say('live')
    list.replaceChildren(...mails.map(entry))
    show()
  })
  events.addEventListener('error', () => say('reconnecting'))
  events.addEventListener('mail', ({ data }) => {
    const mail = JSON.parse(data)
    if (mails.some(({ id }) => id === mail.id)) return
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
  })
  events.addEventListener('cleared', () => {
    mails = []
    list.replaceChildren()
    show()
  })
}

/** Draws everything but the entries from `mails` and the address. */
function show() {
  const mail = mails.find(({ id }) => id === chosenId())
  element('count').textContent = mails.length === 1 ? '1 mail' : `${mails.length || 'No'} mails`
  element('clear').hidden = mails.length === 0
  element('empty').hidden = mails.length > 0
  list.hidden = mails.length === 0
  reader.hidden = !mail
  element('choose').hidden = Boolean(mail) || mails.length === 0
  document.body.dataset.view = mail ? 'mail' : mails.length > 0 ? 'list' : 'empty'
  for (const link of list.querySelectorAll('[aria-current]')) link.removeAttribute('aria-current')
  if (!mail) {
    delete reader.dataset.id
    return
  }
  read.add(mail.id)
  const link = linkTo(mail.id)
  link.setAttribute('aria-current', 'true')
  link.dataset.read = ''
  if (reader.dataset.id !== mail.id) open(mail, link)
}

function open(mail, link) {
  reader.dataset.id = mail.id
  link.scrollIntoView({ block: 'nearest' })
  element('subject').textContent = mail.subject || '(no subject)'
  const facts = [
    ['To', mail.to.join(', ')],
    ['Cc', mail.cc.join(', ')],
    ['Bcc', mail.bcc.join(', ')],
    ['From', mail.from],
    ['Reply to', mail.reply_to.join(', ')],
    [
      'Sent',
      new Date(mail.at).toLocaleString(undefined, { dateStyle: 'full', timeStyle: 'medium' }),
    ],
    ['Key', mail.idempotency_key],
  ]
  element('facts').replaceChildren(
    ...facts
      .filter(([, value]) => value)
      .flatMap(([name, value]) => [
        make('dt', {}, name),
        make('dd', { className: name === 'Key' ? 'key' : '' }, value),
      ]),
  )
  element('tab-html').disabled = mail.html === null
  element('tab-text').disabled = mail.text === null
  element('body-html').srcdoc = mail.html ?? ''
  element('body-text').textContent = mail.text ?? ''
  showTab(mail[tab] === null ? (tab === 'html' ? 'text' : 'html') : tab)
}

function showTab(name) {
  tab = name
  for (const each of ['html', 'text']) {
    element(`tab-${each}`).setAttribute('aria-selected', String(each === name))
    element(`body-${each}`).hidden = each !== name
  }
}

function entry(mail) {
  const at = new Date(mail.at)
  const isToday = at.toDateString() === new Date().toDateString()
  const shown = isToday
    ? at.toLocaleTimeString(undefined, { timeStyle: 'medium' })
    : at.toLocaleDateString(undefined, { day: 'numeric', month: 'short' })
  const link = make(
    'a',
    { href: `#${mail.id}` },
    make('span', { className: 'to' }, mail.to.join(', ')),
    make('time', { dateTime: mail.at, title: at.toLocaleString() }, shown),
    make('span', { className: 'about' }, mail.subject),
  )
  link.dataset.id = mail.id
  if (read.has(mail.id)) link.dataset.read = ''
  return make('li', {}, link)
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return
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

function make(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}
