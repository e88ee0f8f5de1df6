import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { closeDialog } from '../actions.ts'
import { Icon } from './icon.tsx'

type Props = { title: string; children: ComponentChildren }

/**
 * The browser's own modal dialog: it holds the focus, Escape closes it, and the
 * focus goes back to where it was.
 */
export function Modal({ title, children }: Props) {
  const element = useRef<HTMLDialogElement>(null)
  // Closed while it still stands in the page, or the focus would not go back.
  useLayoutEffect(() => {
    const modal = element.current
    modal?.showModal()
    return () => modal?.close()
  }, [])
  return (
    <dialog
      ref={element}
      class="modal"
      aria-labelledby="modal-title"
      onCancel={closeDialog}
      onPointerDown={(event) => {
        // Only the backdrop is the dialog itself: everything else lies within the sheet.
        if (event.target === element.current) closeDialog()
      }}
    >
      <div class="sheet">
        <header class="sheet-head">
          <h2 id="modal-title">{title}</h2>
          <button
            type="button"
            class="button quiet square"
            aria-label="Close"
            onClick={closeDialog}
          >
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
