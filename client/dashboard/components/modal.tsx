import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { closeDialog } from '../actions.ts'
import { Icon } from './icon.tsx'

type Props = {
  title: string
  /** `wide` has room for a letter. */
  size?: 'wide'
  onClose?: () => void
  children: ComponentChildren
}

/**
 * The browser's own modal dialog: it holds the focus, Escape closes it, and the
 * focus goes back to where it was.
 */
export function Modal({ title, size, onClose = closeDialog, children }: Props) {
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
      data-size={size}
      aria-labelledby="modal-title"
      onCancel={onClose}
      onPointerDown={(event) => {
        // Only the backdrop is the dialog itself: everything else lies within the sheet.
        if (event.target === element.current) onClose()
      }}
    >
      <div class="sheet">
        <header class="sheet-head">
          <h2 id="modal-title">{title}</h2>
          <button type="button" class="button quiet square" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
