import { useLayoutEffect, useRef } from 'preact/hooks'

const GLIDE_MS = 260

/** Farther away than this a row does not glide: it would fly across the page. */
const MAX_GLIDE_PX = 480

const still = window.matchMedia('(prefers-reduced-motion: reduce)')

/**
 * Lets rows that another row pushed aside glide to their new place instead of
 * jumping there. Layout is read only when the order of the rows has changed.
 * @param ids of the rows, as they are drawn
 * @returns to be set on the rows' parent
 */
export function useGlide<T extends HTMLElement>(ids: readonly number[]) {
  const parent = useRef<T>(null)
  const drawn = useRef({ order: '', width: 0, tops: new Map<number, number>() })
  useLayoutEffect(() => {
    const order = ids.join()
    if (!parent.current || order === drawn.current.order) return
    const { width, tops } = drawn.current
    const next = { order, width: parent.current.offsetWidth, tops: new Map<number, number>() }
    const glides = !still.matches && width === next.width
    ids.forEach((id, index) => {
      const row = parent.current?.children[index] as HTMLElement | undefined
      if (!row) return
      next.tops.set(id, row.offsetTop)
      const moved = (tops.get(id) ?? row.offsetTop) - row.offsetTop
      if (!glides || moved === 0 || Math.abs(moved) > MAX_GLIDE_PX) return
      // Added up, so that a row pushed again while it glides keeps its way.
      row.animate([{ transform: `translateY(${moved}px)` }, { transform: 'none' }], {
        duration: GLIDE_MS,
        easing: 'cubic-bezier(0.2, 0, 0, 1)',
        composite: 'add',
      })
    })
    drawn.current = next
  })
  return parent
}
