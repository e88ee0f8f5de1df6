import { element, fill, make } from './elements.js'

/** The mail that is read: its texts are fetched when it is opened, what became of it stays live. */
const reader = element('reader')
let tab = 'html'
/** With its texts, once they are here. */
let shown = null

element('tab-html').addEventListener('click', () => showTab('html'))
element('tab-text').addEventListener('click', () => showTab('text'))

export async function openReader({ id }) {
  if (reader.dataset.id === id) return
  reader.dataset.id = id
  const response = await fetch(`/mails/${encodeURIComponent(id)}`)
  // Another may have been chosen meanwhile.
  if (!response.ok || reader.dataset.id !== id) return
  shown = await response.json()
  if (reader.dataset.id !== id) return
  reader.hidden = false
  element('subject').textContent = shown.subject || '(no subject)'
  showFacts(shown)
  element('tab-html').disabled = shown.html === null
  element('tab-text').disabled = shown.text === null
  element('body-html').srcdoc = shown.html ?? ''
  element('body-text').textContent = shown.text ?? ''
  showTab(shown[tab] === null ? (tab === 'html' ? 'text' : 'html') : tab)
}

export function closeReader() {
  reader.hidden = true
  shown = null
  delete reader.dataset.id
}

/** @param mail one that has changed, without its texts */
export function refreshReader(mail) {
  if (shown?.id !== mail.id) return
  shown = { ...shown, ...mail }
  showFacts(shown)
}

function showFacts(mail) {
  const unsubscribe = Object.entries(mail.headers).find(([name]) =>
    /^list-unsubscribe$/i.test(name),
  )
  const others = Object.entries(mail.headers).filter(([name]) => name !== unsubscribe?.[0])
  fill(
    element('facts'),
    fact('To', mail.to.join(', ')),
    fact('Cc', mail.cc.join(', ')),
    fact('Bcc', mail.bcc.join(', ')),
    fact('From', mail.from),
    fact('Reply to', mail.reply_to.join(', ')),
    fact('State', ...mail.events.filter(hasHappened).map(step)),
    unsubscribe ? fact('Unsubscribe', unsubscribeLink(unsubscribe[1])) : [],
  )
  fill(
    element('more-facts'),
    fact(
      'Taken',
      new Date(mail.at).toLocaleString(undefined, { dateStyle: 'full', timeStyle: 'medium' }),
    ),
    fact('Worker', toldOf(mail.events)),
    fact('Tags', ...mail.tags.map(({ name, value }) => code(`${name}=${value}`))),
    ...others.map(([name, value]) => fact(name, code(value))),
    fact('Key', mail.idempotency_key && code(mail.idempotency_key)),
    fact('Id', code(mail.id)),
  )
}

function fact(name, ...values) {
  const given = values.filter((value) => value)
  return given.length === 0 ? [] : [make('dt', {}, name), make('dd', {}, ...given)]
}

function step({ type, at }) {
  const name = type.replace('email.', '')
  return make(
    'span',
    { className: `fate ${name}` },
    `${name} ${new Date(at).toLocaleTimeString(undefined, { timeStyle: 'medium' })}`,
  )
}

function toldOf(events) {
  if (events.length === 0) return 'is told nothing of it'
  const untold = events.filter(({ told_at }) => told_at === null).length
  if (untold === 0) return 'knows all of it'
  return untold === events.length ? 'knows nothing of it yet' : 'does not know all of it yet'
}

/** `<https://…>` as a link; its page asks before it does anything. */
function unsubscribeLink(header) {
  const href = /<(https?:[^<>]+)>/.exec(header)?.[1]
  if (!href) return code(header)
  return make('a', { href, target: '_blank', rel: 'noreferrer', className: 'link' }, href)
}

function code(text) {
  return make('code', {}, text)
}

function hasHappened({ at }) {
  return Date.parse(at) <= Date.now()
}

function showTab(name) {
  tab = name
  for (const each of ['html', 'text']) {
    element(`tab-${each}`).setAttribute('aria-selected', String(each === name))
    element(`body-${each}`).hidden = each !== name
  }
}
