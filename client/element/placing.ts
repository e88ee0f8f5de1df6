const GAP_PX = 8

/** Puts the panel below the bell, or above where there is more room; the style keeps it in the page. */
export function place(panel: HTMLElement, bell: HTMLElement): void {
  const { top, bottom, right } = bell.getBoundingClientRect()
  const [width, height] = [document.documentElement.clientWidth, window.innerHeight]
  const isBelow = height - bottom >= top
  panel.classList.toggle('above', !isBelow)
  panel.style.setProperty('--right', `${Math.round(width - right)}px`)
  panel.style.setProperty(
    '--edge',
    `${Math.round(isBelow ? bottom + GAP_PX : height - top + GAP_PX)}px`,
  )
}
