import { useId, useState } from 'preact/hooks'
import type { Letter } from './email.ts'
import { LetterFrame } from './letter-frame.tsx'
import type { Look } from './letter-page.ts'

type Props = {
  letter: Letter
  /** Of the frame; a preview shows how a phone breaks it. */
  width?: 'desktop' | 'phone'
  look: Look
}

/** A letter, as HTML without scripts or as text. */
export function LetterView({ letter, width, look }: Props) {
  const [form, setForm] = useState<'html' | 'text'>('html')
  const id = useId()
  const choice = (name: 'html' | 'text', title: string) => (
    <button
      type="button"
      class="chip"
      aria-pressed={form === name}
      aria-controls={id}
      onClick={() => setForm(name)}
    >
      {title}
    </button>
  )
  return (
    <div class="letter" data-width={width} data-look={look}>
      <div class="letter-head">
        <p class="letter-subject" dir="auto" data-test="subject">
          <span class="unseen">Subject: </span>
          {letter.subject}
        </p>
        <fieldset class="letter-forms">
          <legend class="unseen">Shown as</legend>
          {choice('html', 'HTML')}
          {choice('text', 'Text')}
        </fieldset>
      </div>
      <div class="letter-body" id={id}>
        {form === 'html' ? (
          <LetterFrame letter={letter} look={look} />
        ) : (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
          <pre class="letter-text" tabIndex={0}>
            {letter.text}
          </pre>
        )}
      </div>
    </div>
  )
}
