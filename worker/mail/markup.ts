import type { Content } from './letter.ts'

/**
 * The letter as mail clients can show it: tables for layout and styles on the elements, because
 * Outlook and Gmail ignore most else; one <style> for what may be ignored (dark colours).
 */
export function html({ title, preview, facts, footnote }: Content): string {
  const rows = facts.map(([label, value], index) => row(label, value, index === facts.length - 1))
  return `<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeText(title)}</title>
<style>
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .page { background: #14171c !important; }
  .card { background: #1d2127 !important; border-color: #2e343d !important; }
  .rule { border-color: #2e343d !important; }
  .ink { color: #eceff3 !important; }
  .faint { color: #9aa4b2 !important; }
  .mark { background: #173a28 !important; color: #7fd6a4 !important; }
}
</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f4f5f7;">
<div style="display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;mso-hide:all;">${escapeText(preview)}.${FILLER}</div>
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" border="0" style="background:#f4f5f7;">
<tr>
<td align="center" style="padding:32px 16px;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:520px;">
<tr>
<td class="card" style="background:#ffffff;border:1px solid #e3e6ea;border-radius:12px;padding:32px 32px 20px;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">
<tr>
<td style="padding:0 0 16px;">
<span class="mark" style="display:inline-block;background:#e3f5ea;color:#17693d;border-radius:999px;padding:4px 12px;font:600 13px/20px ${FONT};">Filled</span>
</td>
</tr>
<tr>
<td class="ink" style="padding:0 0 20px;color:#1a1d21;font:600 24px/32px ${FONT};">${escapeText(title)}</td>
</tr>
</table>
<table width="100%" cellpadding="0" cellspacing="0" border="0" style="border-collapse:collapse;">
${rows.join('\n')}
</table>
</td>
</tr>
<tr>
<td class="faint" align="center" style="padding:20px 16px 0;color:#6b7480;font:400 13px/20px ${FONT};">${escapeText(footnote)}</td>
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

/** Keeps clients from filling the preview line with what stands in the body. */
const FILLER = '&#8199;&#65279;&#847;'.repeat(60)

function row(label: string, value: string, last: boolean): string {
  const rule = last ? '' : 'border-bottom:1px solid #e3e6ea;'
  return `<tr>
<th class="faint rule" scope="row" align="left" valign="top" style="${rule}padding:12px 16px 12px 0;color:#6b7480;font:400 14px/22px ${FONT};white-space:nowrap;">${escapeText(label)}</th>
<td class="ink rule" align="right" valign="top" dir="auto" style="${rule}padding:12px 0;color:#1a1d21;font:500 14px/22px ${FONT};overflow-wrap:anywhere;word-break:break-word;text-align:right;">${escapeText(value)}</td>
</tr>`
}

/** Text as the content of an element; no value stands in an attribute. */
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
