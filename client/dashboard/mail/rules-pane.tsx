import { useState } from 'preact/hooks'
import { notify } from '../actions.ts'
import { words } from '../refusal.ts'
import { mailsPath, templatesPath } from '../route.ts'
import { readCatalog, setRule } from './catalog.ts'
import { recipientWords, whenSentence } from './mail-sentences.ts'
import { catalog } from './mail-store.ts'
import type { Rule } from './rule.ts'

/** Which change owes which mail to whom. */
export function RulesPane() {
  const known = catalog.value
  return (
    <section class="panel rules" aria-labelledby="rules-title">
      <header class="orders-tools">
        <h2 class="panel-title" id="rules-title">
          Rules
        </h2>
        <p class="pane-lead">
          Which change sends which mail. They are edited over the API (
          <a href="/docs">/api/mail-rules</a>), and hold for every change after that.
        </p>
      </header>
      {known.state === 'read' && known.rules.length > 0 && (
        <ul class="rule-list">
          {known.rules.map((rule) => (
            <RuleItem key={rule.id} rule={rule} />
          ))}
        </ul>
      )}
      {known.state === 'read' && known.rules.length === 0 && (
        <div class="empty">
          <p class="empty-title">No rules</p>
          <p>Nothing sends a mail. POST one to /api/mail-rules, and it holds from then on.</p>
        </div>
      )}
      <CatalogPending />
    </section>
  )
}

/** For a pane whose rules and templates are not there. */
export function CatalogPending() {
  const known = catalog.value
  if (known.state === 'loading')
    return (
      <div class="empty">
        <p class="empty-title">Reading…</p>
      </div>
    )
  if (known.state === 'failed')
    return (
      <div class="empty" role="alert">
        <p class="empty-title">{known.refusal.title}</p>
        <p>{known.refusal.detail}</p>
        <button type="button" class="button" onClick={readCatalog}>
          Read again
        </button>
      </div>
    )
  return null
}

function RuleItem({ rule }: { rule: Rule }) {
  const { id, name, template, category, enabled, problem } = rule
  return (
    <li class="rule" data-enabled={enabled ? '' : undefined} data-rule={name}>
      <div class="rule-head">
        <h3 class="rule-title">{name}</h3>
        <Switch rule={rule} />
      </div>
      <p class="rule-when">
        When <b>{whenSentence(rule)}</b>, the mail{' '}
        {template !== null && <a href={templatesPath(template)}>{template}</a>} goes to{' '}
        <b>{recipientWords(rule)}</b>.
      </p>
      {problem !== null && (
        <p class="rule-problem" role="status">
          It sends nothing: {problem}
        </p>
      )}
      <p class="rule-foot">
        <span>category {category}</span>
        <a href={mailsPath({ rule: id })}>its mails</a>
      </p>
    </li>
  )
}

function Switch({ rule }: { rule: Rule }) {
  const { name, enabled } = rule
  const [phase, setPhase] = useState<'resting' | 'sending'>('resting')
  const toggle = async () => {
    setPhase('sending')
    const outcome = await setRule(rule, !enabled)
    setPhase('resting')
    if (outcome.ok)
      notify(
        'good',
        `The rule ${name} ${outcome.value.enabled ? 'sends mails' : 'sends nothing'} from now on`,
      )
    else notify('bad', words(outcome.refusal))
  }
  return (
    <button
      type="button"
      role="switch"
      class="switch"
      aria-checked={enabled}
      aria-label={`Rule ${name}`}
      disabled={phase === 'sending'}
      onClick={toggle}
    >
      <span class="switch-word">{enabled ? 'on' : 'off'}</span>
      <span class="switch-track" />
    </button>
  )
}
