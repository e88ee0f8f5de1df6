import { signal } from '@preact/signals'

export type Theme = 'light' | 'dark'

const KEY = 'belfry.theme'
const prefersDark = window.matchMedia('(prefers-color-scheme: dark)')

/** A theme that a person chose, or null: the one of the system. */
const chosen = signal<Theme | null>(remembered())
export const theme = signal<Theme>(shown())

/** The choice stands on the root element, where the style sheets read it. */
export function applyTheme(): void {
  theme.value = shown()
  if (chosen.value === null) delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = chosen.value
}

export function watchTheme(): void {
  applyTheme()
  prefersDark.addEventListener('change', applyTheme)
}

/** Choosing what the system has anyway is going back to the system's. */
export function toggleTheme(): void {
  const wanted: Theme = shown() === 'dark' ? 'light' : 'dark'
  chosen.value = wanted === systemTheme() ? null : wanted
  try {
    if (chosen.value === null) localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, chosen.value)
  } catch {
    // Storage may be forbidden; the choice then holds until the page is left.
  }
  applyTheme()
}

function shown(): Theme {
  return chosen.value ?? systemTheme()
}

function systemTheme(): Theme {
  return prefersDark.matches ? 'dark' : 'light'
}

function remembered(): Theme | null {
  try {
    const text = localStorage.getItem(KEY)
    return text === 'light' || text === 'dark' ? text : null
  } catch {
    return null
  }
}
