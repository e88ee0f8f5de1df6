import type { Block, Content, Fact, Tone } from './content.ts'

/**
 * The letter as mail clients can show it: tables for layout and styles on the elements, because
 * Outlook and Gmail ignore most else; one <style> for what may be ignored (dark colours, narrow
 * screens). Only a settled content comes here, and its addresses are the only values that stand in
 * an attribute.
 */
export function html(
  { subject, preheader, blocks, footnote }: Content,
  unsubscribeUrl: string | null,
): string {
  return `<!doctype html>
<html lang="en" dir="ltr" xmlns="http://www.w3.org/1999/xhtml">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="x-apple-disable-message-reformatting">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeText(subject)}</title>
<style>${STYLE}</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f3f5f8;-webkit-text-size-adjust:100%;">
<div style="display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;mso-hide:all;">${escapeText(preheader)}${FILLER}</div>
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" border="0" style="background:#f3f5f8;">
<tr>
<td class="around" align="center" style="padding:40px 16px;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:560px;">
<tr>
<td class="card" style="background:#ffffff;border:1px solid #e1e5eb;border-radius:14px;padding:36px 36px 28px;">
${blocks.map(blockMarkup).join('\n')}
</td>
</tr>
<tr>
<td class="faint" align="center" style="padding:20px 16px 0;color:#667080;font:400 13px/20px ${FONT};">${escapeText(footnote)}${unsubscribe(unsubscribeUrl)}</td>
</tr>
</table>
</td>
</tr>
</table>
</body>
</html>
`
}

const FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"

const tones: Record<Tone, { light: string; dark: string }> = {
  good: { light: 'background:#e2f5e9;color:#176239', dark: 'background:#15372a;color:#7fd9a8' },
  busy: { light: 'background:#e3edfd;color:#1d4c9e', dark: 'background:#1a2f52;color:#96bdf9' },
  bad: { light: 'background:#fde7e7;color:#9d2323', dark: 'background:#47201f;color:#f7a8a4' },
  neutral: { light: 'background:#eceff3;color:#485260', dark: 'background:#2c333d;color:#c3ccd8' },
}

const STYLE = `
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .page { background: #12151a !important; }
  .card { background: #1b1f26 !important; border-color: #2c323c !important; }
  .rule { border-color: #2c323c !important; }
  .ink { color: #edf0f4 !important; }
  .faint { color: #98a3b3 !important; }
  .button { background: #4d8bf5 !important; color: #0b1220 !important; }
${Object.entries(tones)
  .map(([tone, { dark }]) => `  .${tone} { ${dark.replaceAll(/;|$/g, ' !important;')} }`)
  .join('\n')}
}
@media (max-width: 480px) {
  .around { padding: 16px 10px 28px !important; }
  .card { padding: 24px 20px 16px !important; }
  .title { font-size: 21px !important; line-height: 28px !important; }
}
`

/** Keeps clients from filling the preview line with what stands in the body. */
const FILLER = '&#8199;&#65279;&#847;'.repeat(60)

function blockMarkup(block: Block): string {
  switch (block.kind) {
    case 'badge':
      return `<p style="margin:0 0 14px;"><span class="${block.tone}" style="display:inline-block;${tones[block.tone].light};border-radius:999px;padding:4px 12px;font:600 13px/20px ${FONT};">${own(block.text)}</span></p>`
    case 'title':
      return `<h1 class="ink title" style="margin:0 0 20px;color:#171b21;font:600 24px/32px ${FONT};letter-spacing:-0.01em;${BREAK}">${own(block.text)}</h1>`
    case 'paragraph':
      return `<p class="ink" style="margin:0 0 20px;color:#2c333d;font:400 15px/24px ${FONT};${BREAK}">${own(block.text)}</p>`
    case 'facts':
      return `<table width="100%" cellpadding="0" cellspacing="0" border="0" style="border-collapse:collapse;table-layout:fixed;">
${block.facts.map(factMarkup).join('\n')}
</table>`
    case 'button':
      return `<p style="margin:24px 0 8px;"><a class="button" href="${escapeText(block.url)}" style="display:inline-block;background:#1f5fd6;color:#ffffff;border-radius:8px;padding:12px 22px;font:600 15px/20px ${FONT};text-decoration:none;">${own(block.text)}</a></p>`
  }
}

const BREAK = 'overflow-wrap:anywhere;word-break:break-word;'

function factMarkup({ label, value, before }: Fact): string {
  const line = 'border-top:1px solid #e8ebf0;padding-top:11px;padding-bottom:11px;'
  const was =
    before === undefined
      ? ''
      : `<span class="faint" style="color:#667080;font-weight:400;text-decoration:line-through;">${own(before)}</span> <span class="faint" style="color:#667080;">&rarr;</span> `
  return `<tr>
<th class="faint rule" scope="row" width="34%" align="left" valign="top" style="${line}padding-right:16px;color:#667080;font:400 14px/22px ${FONT};${BREAK}">${own(label)}</th>
<td class="ink rule" align="right" valign="top" style="${line}color:#171b21;font:500 14px/22px ${FONT};text-align:right;${BREAK}">${was}${own(value)}</td>
</tr>`
}

function unsubscribe(url: string | null): string {
  if (url === null) return ''
  return `<br><a class="faint" href="${escapeText(url)}" style="color:#667080;text-decoration:underline;">Unsubscribe</a>`
}

/** In its own direction, whatever it begins with. */
function own(text: string): string {
  return `<bdi>${escapeText(text)}</bdi>`
}

/** Text as the content of an element, or of an attribute in double quotes. */
function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] as string)
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
