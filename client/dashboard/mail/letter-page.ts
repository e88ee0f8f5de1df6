export type Look = 'light' | 'dark'

/** Nothing is fetched for a letter, and no link in it leads anywhere. */
const HEAD =
  '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'; img-src data:"><base target="_blank">'

/**
 * A letter for a frame of ours. A frame does not choose between light and dark by itself: the
 * question that the letter's style sheet asks is answered here.
 */
export function letterPage(html: string, look: Look): string {
  const answer = look === 'dark' ? '(min-width: 0)' : '(max-width: 0)'
  return HEAD + html.replaceAll('(prefers-color-scheme: dark)', answer)
}
