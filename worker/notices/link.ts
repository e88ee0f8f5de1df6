/**
 * Where a notification of a rule may lead: to an address over http or https, or to a path on the
 * site that shows it. A link may be `{column}` and nothing else, and is then the row's own.
 */
export function leadsToPage(link: string): boolean {
  if (/^\/(?![/\\])/.test(link)) return true
  return /^https?:\/\//i.test(link) && URL.canParse(link)
}

export function isOnlyColumn(link: string): boolean {
  return /^\{[^{}]+\}$/.test(link)
}

/** Whether a rule's link can lead to a page, whatever is filled in. */
export function mayLead(link: string): boolean {
  return isOnlyColumn(link) || leadsToPage(link.replace(/\{[^{}]+\}/g, 'x'))
}
