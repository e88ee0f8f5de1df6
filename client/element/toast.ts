import { make, say } from './dom.ts'

const TOAST_MS = 7_000

export type Toast = {
  readonly element: HTMLElement
  /** @param undo null: there is nothing to undo */
  show(text: string, undo: (() => void) | null): void
  hide(): void
}

/** What was just done, with the way back. It goes by itself, but not from under a finger or the focus. */
export function makeToast(): Toast {
  const text = make('span', { dir: 'auto' })
  const button = make('button', { type: 'button', class: 'undo', part: 'undo' }, 'Undo')
  const element = make(
    'div',
    { class: 'toast', part: 'toast', role: 'status', hidden: true },
    text,
    button,
  )
  let undoing: (() => void) | null = null
  let timer: ReturnType<typeof setTimeout> | undefined

  button.addEventListener('click', () => {
    const undo = undoing
    hide()
    undo?.()
  })
  return { element, show, hide }

  function show(said: string, undo: (() => void) | null) {
    undoing = undo
    say(text, said)
    button.hidden = undo === null
    element.hidden = false
    later()
  }

  function later() {
    clearTimeout(timer)
    timer = setTimeout(
      () => (element.matches(':hover, :focus-within') ? later() : hide()),
      TOAST_MS,
    )
  }

  function hide() {
    clearTimeout(timer)
    undoing = null
    element.hidden = true
  }
}
