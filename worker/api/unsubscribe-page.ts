/** What the door to unsubscribe says to a person. Without scripts, readable on a phone. */
export type Page =
  | { kind: 'question'; mailbox: string }
  | { kind: 'done'; mailbox: string }
  /** The form was not the page's own. */
  | { kind: 'unread'; mailbox: string }
  | { kind: 'unknown' }

/** @param nonce of the policy that allows the page its one style sheet */
export function unsubscribePage(page: Page, nonce: string): string {
  const { title, text, asks } = words(page)
  const form = `<form method="post"><button name="List-Unsubscribe" value="One-Click">Unsubscribe</button></form>`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${text.map((sentence) => `<p>${sentence}</p>`).join('\n')}
${asks ? form : ''}
</main>
</body>
</html>
`
}

/** `a•••@e•••.com`: enough for its owner to know it, and for nobody else. */
export function masked(mailbox: string): string {
  const at = mailbox.lastIndexOf('@')
  if (at < 1) return `${firstLetter(mailbox)}•••`
  const [local, domain] = [mailbox.slice(0, at), mailbox.slice(at + 1)]
  const dot = domain.lastIndexOf('.')
  const ending = dot > 0 ? domain.slice(dot) : ''
  return `${firstLetter(local)}•••@${firstLetter(domain)}•••${ending}`
}

function firstLetter(text: string): string {
  return String.fromCodePoint(text.codePointAt(0) ?? 0x2022)
}

function words(page: Page): { title: string; text: string[]; asks: boolean } {
  const to = page.kind === 'unknown' ? '' : `<b dir="ltr">${escapeText(masked(page.mailbox))}</b>`
  switch (page.kind) {
    case 'question':
      return {
        title: 'No more of these mails?',
        text: [`We will send no more of our mails to ${to}.`],
        asks: true,
      }
    case 'done':
      return {
        title: 'You are unsubscribed',
        text: [
          `We send no more of our mails to ${to}. One that is already on its way may still arrive.`,
          'If this was a mistake, tell the shop, and they will put you back.',
        ],
        asks: false,
      }
    case 'unread':
      return {
        title: 'That did not come through',
        text: [`Nothing was changed. To stop our mails to ${to}, press the button.`],
        asks: true,
      }
    case 'unknown':
      return {
        title: 'This link is not known',
        text: [
          'It may have been cut short: open the link of the newest mail, whole. Nothing was changed.',
        ],
        asks: false,
      }
  }
}

const STYLE = `
:root { color-scheme: light dark; --page: #f4f5f7; --card: #fff; --edge: #e3e6ea; --ink: #1a1d21; --faint: #525b68; --act: #1f5fbf; --on-act: #fff; }
@media (prefers-color-scheme: dark) { :root { --page: #14171c; --card: #1d2127; --edge: #2e343d; --ink: #eceff3; --faint: #a9b3c1; --act: #8ab4ff; --on-act: #0d1420; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 16px; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 30rem; padding: 32px 24px; background: var(--card); border: 1px solid var(--edge); border-radius: 12px; }
h1 { margin: 0 0 12px; font-size: 1.5rem; line-height: 1.25; }
p { margin: 0 0 12px; color: var(--faint); overflow-wrap: anywhere; }
b { color: var(--ink); font-weight: 600; }
form { margin: 20px 0 0; }
button { width: 100%; min-height: 48px; padding: 0 24px; border: 0; border-radius: 8px; background: var(--act); color: var(--on-act); font: inherit; font-weight: 600; cursor: pointer; }
button:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
`

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
