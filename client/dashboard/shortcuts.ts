export type Shortcut = { key: string; does: string; run(): void }

/**
 * Single keys, never while a person types, holds a modifier, or has a dialog
 * or the inbox open: they are for the page, and the page is then not what is looked at.
 */
export function watchShortcuts(shortcuts: readonly Shortcut[]): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.repeat || event.isComposing) return
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const key = event.key.toLowerCase()
    // `?` needs Shift on most keyboards; a letter with Shift is somebody else's.
    if (event.shiftKey && /^[a-z]$/.test(key)) return
    if (takesText(event.target) || document.querySelector('dialog[open], belfry-inbox[open]'))
      return
    const shortcut = shortcuts.find((each) => each.key === key)
    if (!shortcut) return
    event.preventDefault()
    shortcut.run()
  })
}

function takesText(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input, textarea, select'))
  )
}
