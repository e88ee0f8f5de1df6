import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Letter } from './email.ts'
import { LETTER_PAGE, LETTER_SANDBOX, type Look, letterPage } from './letter-page.ts'

/** A letter as a mail program shows it. */
export function LetterFrame({ letter, look }: { letter: Letter; look: Look }) {
  const frame = useRef<HTMLIFrameElement>(null)
  const [isLoaded, setLoaded] = useState(false)
  const html = letterPage(letter.html, look)
  useLayoutEffect(() => {
    const root = isLoaded ? frame.current?.contentDocument?.documentElement : null
    // Only into the page that is made for it: another has another policy.
    if (root && frame.current?.contentWindow?.location.pathname === LETTER_PAGE)
      root.innerHTML = html
  }, [html, isLoaded])
  return (
    <iframe
      ref={frame}
      sandbox={LETTER_SANDBOX}
      title={`The letter: ${letter.subject}`}
      src={LETTER_PAGE}
      onLoad={() => setLoaded(true)}
    />
  )
}
