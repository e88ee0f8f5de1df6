/**
 * Where a notification leads. Whoever may write a notification may write any link, so only addresses
 * of the web are followed: http, https, and those that are relative to the page.
 * @returns null for any other, which is shown as if there were none
 */
export function safeLink(link: string | null, page: string): URL | null {
  if (link === null || !URL.canParse(link, page)) return null
  const url = new URL(link, page)
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : null
}
