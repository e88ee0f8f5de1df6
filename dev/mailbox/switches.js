import { element } from './elements.js'

/** How Resend behaves: the form sets it with every change, and a line tells what is not normal. */
const form = element('switches')
const opener = element('open-switches')

const aboutProvider = {
  up: 'Mails are taken and delivered.',
  down: 'Every connection is reset.',
  failing: 'Every request gets 500, and no mail is taken.',
  slow: 'Each request takes as long as is set below.',
  'accept-then-hang': 'A mail is taken, and the answer never comes.',
  'too-many': 'Every request gets 429, and no mail is taken.',
}
const aboutWebhooks = {
  on: 'The worker is told what became of each mail.',
  off: 'They are held back until they are on again.',
  repeated: 'Each is sent twice.',
  reordered: 'The last of each mail is sent first.',
}

form.addEventListener('submit', (event) => event.preventDefault())
form.addEventListener('change', async () => {
  for (const field of form.elements) field.setCustomValidity('')
  if (form.reportValidity()) await put(chosen())
})
element('back-to-normal').addEventListener('click', () => put({}))
opener.addEventListener('click', () => {
  form.hidden = !form.hidden
  opener.setAttribute('aria-expanded', String(!form.hidden))
})

async function put(switches) {
  const response = await fetch('/switches', { method: 'PUT', body: JSON.stringify(switches) })
  // What it led to comes to all pages in the same way.
  if (response.ok) return
  const said = await response.json()
  const field = form.elements[/^`(\w+)/.exec(said.message)?.[1]] ?? form.elements.bounce
  field.setCustomValidity(said.message)
  field.reportValidity()
}

function chosen() {
  const { provider, webhooks, bounce, refuse, requests_per_second, daily_quota, slow_ms } =
    form.elements
  const limit = ({ value }) => (value === '' ? null : Number(value))
  const list = ({ value }) => value.split(/[\s,;]+/).filter((address) => address !== '')
  return {
    provider: provider.value,
    webhooks: webhooks.value,
    bounce: list(bounce),
    refuse: list(refuse),
    requests_per_second: limit(requests_per_second),
    daily_quota: limit(daily_quota),
    slow_ms: Number(slow_ms.value),
  }
}

export function showBehaviour({ switches, abnormal, webhooks }) {
  for (const [name, value] of Object.entries(switches)) {
    const field = form.elements[name]
    // What a person is typing stays.
    if (field === document.activeElement) continue
    field.value = Array.isArray(value) ? value.join(', ') : (value ?? '')
  }
  element('about-provider').textContent = aboutProvider[switches.provider]
  element('about-webhooks').textContent = aboutWebhooks[switches.webhooks]
  const trouble = webhooks?.last_error
    ? `${waitingOf(webhooks.waiting)}: ${webhooks.last_error}.`
    : null
  element('abnormal').hidden = abnormal.length === 0 && !trouble
  element('abnormal-text').textContent = [...abnormal, trouble].filter(Boolean).join(' ')
  element('back-to-normal').hidden = abnormal.length === 0
}

function waitingOf(count) {
  return count === 1 ? 'One webhook waits' : `${count} webhooks wait`
}
