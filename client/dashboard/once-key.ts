import { useRef } from 'preact/hooks'
import { newOnceKey } from './request.ts'

/**
 * A form that is sent again, because its answer was lost or a finger was quick, is one create; one
 * that was altered is another.
 */
export function useOnceKey(): (draft: object) => string {
  const last = useRef({ draft: '', key: '' })
  return (draft) => {
    const text = JSON.stringify(draft)
    if (last.current.draft !== text) last.current = { draft: text, key: newOnceKey() }
    return last.current.key
  }
}
