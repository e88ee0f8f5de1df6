import { useEffect, useState } from 'preact/hooks'
import type { Outcome } from '../request.ts'
import { rulesPath, templatesPath } from '../route.ts'
import { theme } from '../theme.ts'
import type { Letter } from './email.ts'
import { LetterView } from './letter-view.tsx'
import { catalog } from './mail-store.ts'
import { PreviewTools, type Wish } from './preview-tools.tsx'
import { readPreview } from './requests.ts'
import type { Template } from './rule.ts'
import { CatalogPending } from './rules-pane.tsx'

/** Every template, and how its letter looks: wide and narrow, light and dark. */
export function TemplatesPane({ chosen }: { chosen: string | null }) {
  const known = catalog.value
  const templates = known.state === 'read' ? known.templates : []
  const name = chosen ?? templates[0]?.name ?? null
  return (
    <section class="panel templates" aria-labelledby="templates-title">
      <header class="orders-tools">
        <h2 class="panel-title" id="templates-title">
          Templates
        </h2>
        <p class="pane-lead">How each letter looks, with made-up values or with an order’s.</p>
      </header>
      <CatalogPending />
      {known.state === 'read' && (
        <div class="templates-desk">
          <ul class="template-list">
            {templates.map((template) => (
              <li key={template.name}>
                <a
                  class="template"
                  href={templatesPath(template.name)}
                  aria-current={template.name === name ? 'true' : undefined}
                >
                  <span class="template-name">{template.name}</span>
                  <span class="template-about">{template.description}</span>
                </a>
                <UsedBy template={template} />
              </li>
            ))}
          </ul>
          {name !== null && <Preview key={name} template={name} />}
        </div>
      )}
    </section>
  )
}

function UsedBy({ template: { name, ops } }: { template: Template }) {
  const known = catalog.value
  const rules = known.state === 'read' ? known.rules : []
  const using = rules.filter((rule) => rule.template === name)
  if (ops.length === 0) return <p class="template-rules">sent by Belfry itself</p>
  return (
    <p class="template-rules">
      {using.length === 0 ? (
        'no rule uses it'
      ) : (
        <>
          used by{' '}
          <a href={rulesPath()}>
            {using.map(({ name, enabled }) => (enabled ? name : `${name} (off)`)).join(', ')}
          </a>
        </>
      )}
    </p>
  )
}

function Preview({ template }: { template: string }) {
  const [outcome, setOutcome] = useState<Outcome<Letter> | null>(null)
  const [wish, setWish] = useState<Wish>({
    width: 'desktop',
    look: theme.peek(),
    audience: 'customer',
    order: null,
  })
  const { audience, order, look, width } = wish
  useEffect(() => {
    let isWanted = true
    void readPreview(template, { audience, order }).then((read) => isWanted && setOutcome(read))
    return () => {
      isWanted = false
    }
  }, [template, audience, order])

  return (
    <div class="preview">
      <PreviewTools wish={wish} onChange={setWish} />
      {outcome === null ? (
        <p class="empty">Writing it…</p>
      ) : outcome.ok ? (
        <LetterView letter={outcome.value} look={look} width={width} />
      ) : (
        <p class="failure" role="alert">
          {outcome.refusal.title}. {outcome.refusal.detail}
        </p>
      )}
    </div>
  )
}
