type Attributes = Readonly<Record<string, string | boolean | null>>

/**
 * An element with its attributes and children. Text goes in as text and nothing is ever parsed as
 * markup, so whatever a notification says stays what it says.
 */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) set(element, name, value)
  element.append(...children)
  return element
}

/** Only if it is another than before: a screen reader hears what is set. */
export function set(element: Element, name: string, value: string | boolean | null): void {
  if (value === null || value === false) element.removeAttribute(name)
  else if (element.getAttribute(name) !== String(value))
    element.setAttribute(name, value === true ? '' : value)
}

export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** Drawn on a 20 × 20 grid with a line of 1.5. */
const drawings = {
  bell: 'M10 2.6c-3 0-4.9 2.2-4.9 5.1 0 3.2-.8 4.5-1.7 5.5-.5.5-.1 1.3.5 1.3h12.2c.6 0 1-.8.5-1.3-.9-1-1.7-2.3-1.7-5.5 0-2.9-1.9-5.1-4.9-5.1ZM8.1 16.6a2 2 0 0 0 3.8 0',
  check: 'M4.6 10.6l3.5 3.5 7.3-8',
  checks: 'M2.4 10.6l3.3 3.5 6.6-8M9.2 13l1.2 1.1 7-8',
  dot: 'M10 13.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4Z',
  archive: 'M3.2 4.2h13.6v3.4H3.2zM4.3 7.6v8.2h11.4V7.6M8.1 10.4h3.8',
  restore: 'M3.2 4.2h13.6v3.4H3.2zM4.3 7.6v8.2h11.4V7.6M10 13.6V9.8M8.2 11.4 10 9.6l1.8 1.8',
  close: 'M5 5l10 10M15 5 5 15',
} as const

export type Drawing = keyof typeof drawings

export function draw(name: Drawing): SVGSVGElement {
  const space = 'http://www.w3.org/2000/svg'
  const svg = document.createElementNS(space, 'svg')
  set(svg, 'viewBox', '0 0 20 20')
  set(svg, 'aria-hidden', 'true')
  const path = document.createElementNS(space, 'path')
  set(path, 'd', drawings[name])
  svg.append(path)
  return svg
}

/** A button with a drawing; its name is read aloud and shown on hovering. */
export function iconButton(name: string, drawing: Drawing, run: () => void): HTMLButtonElement {
  const button = make('button', { type: 'button', class: 'icon', part: 'button' }, draw(drawing))
  rename(button, name)
  button.addEventListener('click', run)
  return button
}

export function rename(button: HTMLButtonElement, name: string): void {
  set(button, 'aria-label', name)
  set(button, 'title', name)
}
