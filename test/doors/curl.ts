/** The request once more, as a line for a shell; credentials are those of this run. */
export function curlOf(
  url: string,
  sent: { method: string; path: string; headers: Record<string, string>; raw: string | null },
): string {
  const headers = Object.entries(sent.headers).map(
    ([name, text]) => `-H ${quoted(`${name}: ${text}`)}`,
  )
  const body = sent.raw === null ? [] : [`--data-binary ${quoted(sent.raw)}`]
  return ['curl -i', `-X ${sent.method}`, ...headers, ...body, quoted(url + sent.path)].join(' ')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
