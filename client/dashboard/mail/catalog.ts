import type { Outcome } from '../request.ts'
import { catalog } from './mail-store.ts'
import { readRules, readTemplates, switchRule } from './requests.ts'
import type { Rule } from './rule.ts'

/** Reads the rules and the templates again; what was read before stays if it fails. */
export async function readCatalog(): Promise<void> {
  const [rules, templates] = await Promise.all([readRules(), readTemplates()])
  if (rules.ok && templates.ok) {
    catalog.value = { state: 'read', rules: rules.value, templates: templates.value }
    return
  }
  const failed = [rules, templates].find((outcome) => !outcome.ok)
  if (failed?.ok === false && catalog.peek().state !== 'read')
    catalog.value = { state: 'failed', refusal: failed.refusal }
}

/**
 * Switches the rule that a person sees. If it is another by now it is read, for them to decide.
 * @returns the rule as it is now
 */
export async function setRule(seen: Rule, enabled: boolean): Promise<Outcome<Rule>> {
  const outcome = await switchRule(seen, enabled)
  if (!outcome.ok && outcome.refusal.code === 'precondition_failed') {
    await readCatalog()
    const detail = 'What is shown is now as it is: switch it if you still want to.'
    return { ok: false, refusal: { ...outcome.refusal, detail } }
  }
  const known = catalog.peek()
  if (outcome.ok && known.state === 'read') {
    const rules = known.rules.map((rule) => (rule.id === seen.id ? outcome.value : rule))
    catalog.value = { ...known, rules }
  }
  return outcome
}
