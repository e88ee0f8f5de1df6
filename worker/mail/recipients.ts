/** @param list `ALERT_RECIPIENTS`: addresses separated by commas */
export function recipients(list: string | undefined): string[] {
  return (list ?? '')
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address !== '')
}

/** Two spellings of one mailbox: case is the only difference that is surely none. */
export function sameMailbox(address: string): string {
  return address.trim().toLowerCase()
}
