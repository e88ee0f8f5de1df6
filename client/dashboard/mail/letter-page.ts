/*
 * A letter comes with styles in its elements, which no page of ours allows. So it stands in a page
 * of its own, `/letter`, empty until a letter is written into it. Must hold there: no script runs,
 * nothing is fetched, no form is sent, and no link leads anywhere. The frame's sandbox sees to the
 * scripts, forms and links; the policy in that page, which is the only one with inline styles, to
 * the rest, and to scripts once more.
 */

export type Look = 'light' | 'dark'

export const LETTER_PAGE = '/letter'

/** Only that we may write into it: it is of our origin, and nothing runs in it. */
export const LETTER_SANDBOX = 'allow-same-origin'

/** Links would open a window, which the sandbox does not let them. */
const BASE = '<base target="_blank">'

/**
 * What is written into the frame. A frame does not choose between light and dark by itself: the
 * question that the letter's style sheet asks is answered here.
 */
export function letterPage(html: string, look: Look): string {
  const answer = look === 'dark' ? '(min-width: 0)' : '(max-width: 0)'
  return BASE + html.replaceAll('(prefers-color-scheme: dark)', answer)
}
