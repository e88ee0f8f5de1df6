import { useEffect, useState } from 'preact/hooks'
import { Icon } from '../components/icon.tsx'
import { navigate } from '../navigation.ts'
import { mailsPath } from '../route.ts'
import { type MailQuery, readSearch, searchText } from './query.ts'

const SEARCH_ID = 'mail-search'

export function focusMailSearch(): void {
  const field = document.getElementById(SEARCH_ID) as HTMLInputElement | null
  field?.focus()
  field?.select()
}

/** Asked for with Enter: an address is found as a whole, so half of one would find nothing. */
export function MailSearch({ query }: { query: MailQuery }) {
  const asked = searchText(query)
  const [text, setText] = useState(asked)
  useEffect(() => setText(asked), [asked])
  const ask = (wanted: string) => {
    const read = readSearch(wanted)
    if (searchText({ ...query, ...read }) !== asked) navigate(mailsPath({ ...query, ...read }))
  }
  return (
    <search>
      <form
        class="search"
        onSubmit={(event) => {
          event.preventDefault()
          ask(text)
        }}
      >
        <Icon name="search" />
        <label class="unseen" for={SEARCH_ID}>
          Find by the recipient’s address or the order’s number
        </label>
        <input
          id={SEARCH_ID}
          type="search"
          placeholder="Address or #order"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          enterkeyhint="search"
          value={text}
          onInput={({ currentTarget }) => {
            setText(currentTarget.value)
            if (currentTarget.value === '') ask('')
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return
            setText('')
            ask('')
            event.currentTarget.blur()
          }}
        />
        <kbd>/</kbd>
      </form>
    </search>
  )
}
