import { closeCodes } from '../../protocol/close-codes.ts'
import { problems } from '../../protocol/problems.ts'

/**
 * The two tables of refusals as HTML, written into the page when it is built: a
 * problem's `type` is an address that anybody can open, script or no script.
 */
export function problemTables(): string {
  return [
    table(
      ['Code', 'Status', 'Meaning', 'Same request again?'],
      Object.entries(problems).map(([code, { status, title, meaning, retry }]) => [
        code,
        String(status),
        `${title}. ${meaning}`,
        retry ? 'may succeed later' : 'no',
      ]),
    ),
    '<h2 id="close-codes">Close codes of sockets</h2>',
    table(
      ['Name', 'Code', 'Meaning', 'Connect again?'],
      Object.entries(closeCodes).map(([name, { code, meaning, retry }]) => [
        name,
        String(code),
        meaning,
        retry ? 'yes' : 'no',
      ]),
      'close-',
    ),
  ].join('\n')
}

/** The first cell of each row names it: it is the row's anchor, behind what tells the tables apart. */
function table(heads: string[], rows: string[][], anchors = ''): string {
  const head = heads.map((text) => `<th scope="col">${escapeHtml(text)}</th>`).join('')
  const body = rows.map(([name = '', ...cells]) => {
    const rest = cells.map((text) => `<td>${withCode(text)}</td>`).join('')
    return `<tr id="${escapeHtml(anchors + name)}"><th scope="row"><code>${escapeHtml(name)}</code></th>${rest}</tr>`
  })
  return `<table><thead><tr>${head}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table>`
}

/** What stands between backticks is code. */
function withCode(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>')
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
