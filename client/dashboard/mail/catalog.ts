import type { Outcome } from '../api.ts'
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

/** @returns the rule as it is now */
export async function setRule(id: number, enabled: boolean): Promise<Outcome<Rule>> {
  const outcome = await switchRule(id, enabled)
  const known = catalog.peek()
  if (outcome.ok && known.state === 'read') {
    const rules = known.rules.map((rule) => (rule.id === id ? outcome.value : rule))
    catalog.value = { ...known, rules }
  }
  return outcome
}
