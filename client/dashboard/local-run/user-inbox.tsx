import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import type { Notification } from '../../../protocol/notification.ts'
import { BelfryInbox } from '../../element/belfry-inbox.ts'
import { followWithin } from '../navigation.ts'
import './user-inbox.css'
import { choose, chosen, readUsers, tokenOf, users } from './sample-users.ts'

/** The inbox of one of the users, and the choice of which. */
export function UserInbox() {
  useEffect(() => {
    const read = () => void (users.peek().length === 0 && readUsers())
    read()
    addEventListener('focus', read)
    return () => removeEventListener('focus', read)
  }, [])
  const id = chosen.value
  if (id === null) return null
  return (
    <>
      <InboxOf id={id} />
      <Who id={id} />
    </>
  )
}

function InboxOf({ id }: { id: number }) {
  const place = useRef<HTMLSpanElement>(null)
  const element = useRef<BelfryInbox | null>(null)
  useLayoutEffect(() => {
    const inbox = new BelfryInbox()
    element.current = inbox
    inbox.addEventListener('select', (event) => {
      const { link } = (event as CustomEvent<Notification>).detail
      if (link === null || !followWithin(link)) return
      event.preventDefault()
      inbox.close()
    })
    place.current?.append(inbox)
    return () => inbox.remove()
  }, [])
  useLayoutEffect(() => {
    if (element.current) element.current.token = () => tokenOf(id)
  }, [id])
  return <span ref={place} class="user-inbox" />
}

function Who({ id }: { id: number }) {
  const name = users.value.find((user) => user.id === id)?.name ?? ''
  return (
    <label class="who" title="A local run lets you be anyone">
      <span class="face" aria-hidden="true">
        {initials(name)}
      </span>
      <span class="who-name">{name}</span>
      <select
        aria-label="Signed in as"
        value={String(id)}
        onChange={(event) => choose(Number(event.currentTarget.value))}
      >
        {users.value.map((user) => (
          <option key={user.id} value={String(user.id)}>
            {user.name}
          </option>
        ))}
      </select>
    </label>
  )
}

function initials(name: string): string {
  const words = name.split(/\s+/).filter((word) => word !== '')
  const [first, last] = [words[0], words.length > 1 ? words.at(-1) : undefined]
  return [first, last]
    .map((word) => [...(word ?? '')][0] ?? '')
    .join('')
    .toUpperCase()
}
