/** @param list `ALERT_RECIPIENTS`: addresses separated by commas, each perhaps with a name before it */
export function recipients(list: string | undefined): string[] {
  return (list ?? '')
    .split(',')
    .map((entry) => (/^[^<>]*<([^<>]*)>$/.exec(entry.trim())?.[1] ?? entry).trim())
    .filter((address) => address !== '')
}

/** Two spellings of one mailbox: case is the only difference that is surely none. */
export function sameMailbox(address: string): string {
  return address.trim().toLowerCase()
}

const ADDRESS =
  /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*@([a-z\d]([a-z\d-]{0,61}[a-z\d])?\.)+[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/i

/**
 * Whether this is one address and nothing else. A provider would read a list as many, and a name
 * before an address as the sender's word for who that is.
 */
export function isAddress(text: string): boolean {
  return text.length <= 254 && text.lastIndexOf('@') <= 64 && ADDRESS.test(text)
}
