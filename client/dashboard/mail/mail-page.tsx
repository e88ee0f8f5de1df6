import { ForOthers } from '../components/for-others.tsx'
import { Troubles } from '../components/troubles.tsx'
import { route } from '../navigation.ts'
import { isForOthers, type Refusal } from '../refusal.ts'
import { mailsPath, rulesPath, templatesPath } from '../route.ts'
import { MailBoard } from './mail-board.tsx'
import { MailList } from './mail-list.tsx'
import { catalog, mailsRefusal } from './mail-store.ts'
import { RulesPane } from './rules-pane.tsx'
import { TemplatesPane } from './templates-pane.tsx'

/** The mails that changes owed, what came of each, and where they come from. */
export function MailPage() {
  const at = route.value
  if (at.page !== 'mail') return null
  const refusal = refusalForOthers()
  if (refusal !== null)
    return (
      <main class="page" id="content" tabIndex={-1}>
        <section class="panel">
          <ForOthers what="The mails are for those who run this" refusal={refusal} />
        </section>
      </main>
    )
  return (
    <main class="page" id="content" tabIndex={-1}>
      <Troubles />
      <MailNav pane={at.pane} />
      {at.pane === 'mails' && (
        <>
          <MailBoard query={at.query} />
          <MailList query={at.query} />
        </>
      )}
      {at.pane === 'rules' && <RulesPane />}
      {at.pane === 'templates' && <TemplatesPane chosen={at.template} />}
    </main>
  )
}

function refusalForOthers(): Refusal | null {
  const known = catalog.value
  const refusal = known.state === 'failed' ? known.refusal : mailsRefusal.value
  return refusal !== null && isForOthers(refusal) ? refusal : null
}

function MailNav({ pane }: { pane: string }) {
  const link = (name: string, title: string, path: string) => (
    <a href={path} aria-current={pane === name ? 'page' : undefined}>
      {title}
    </a>
  )
  return (
    <nav class="mail-nav" aria-label="Mail">
      {link('mails', 'Mails', mailsPath())}
      {link('rules', 'Rules', rulesPath())}
      {link('templates', 'Templates', templatesPath())}
    </nav>
  )
}
