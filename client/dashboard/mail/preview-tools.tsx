import { useState } from 'preact/hooks'
import { Icon } from '../components/icon.tsx'
import type { Look } from './letter-page.ts'

/** How a preview is wanted. */
export type Wish = {
  width: 'desktop' | 'phone'
  look: Look
  audience: 'customer' | 'staff'
  /** An order to write it with, instead of made-up values. */
  order: string | null
}

type Props = { wish: Wish; onChange(wish: Wish): void }

export function PreviewTools({ wish, onChange }: Props) {
  const other: Look = wish.look === 'dark' ? 'light' : 'dark'
  return (
    <div class="preview-tools">
      <Choice
        legend="Width"
        names={['desktop', 'phone']}
        chosen={wish.width}
        onChoose={(width) => onChange({ ...wish, width })}
      />
      <Choice
        legend="Written to"
        names={['customer', 'staff']}
        chosen={wish.audience}
        onChoose={(audience) => onChange({ ...wish, audience })}
      />
      <OrderField order={wish.order} onChange={(order) => onChange({ ...wish, order })} />
      <button
        type="button"
        class="button quiet"
        aria-label={`Show it as in a ${other} mailbox`}
        onClick={() => onChange({ ...wish, look: other })}
      >
        <Icon name={other === 'dark' ? 'moon' : 'sun'} />
        {other}
      </button>
    </div>
  )
}

type ChoiceProps<Name extends string> = {
  legend: string
  names: readonly Name[]
  chosen: Name
  onChoose(name: Name): void
}

function Choice<Name extends string>({ legend, names, chosen, onChoose }: ChoiceProps<Name>) {
  return (
    <fieldset class="letter-forms">
      <legend class="unseen">{legend}</legend>
      {names.map((name) => (
        <button
          key={name}
          type="button"
          class="chip"
          aria-pressed={chosen === name}
          onClick={() => onChoose(name)}
        >
          {name}
        </button>
      ))}
    </fieldset>
  )
}

type OrderFieldProps = { order: string | null; onChange(order: string | null): void }

function OrderField({ order, onChange }: OrderFieldProps) {
  const [text, setText] = useState(order ?? '')
  return (
    <form
      class="order-field"
      onSubmit={(event) => {
        event.preventDefault()
        onChange(text.trim().replace(/^#/, '') || null)
      }}
    >
      <label class="unseen" for="preview-order">
        Number of an order to write it with
      </label>
      <input
        id="preview-order"
        type="search"
        inputMode="numeric"
        placeholder="with order #…"
        autocomplete="off"
        value={text}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value)
          if (currentTarget.value === '') onChange(null)
        }}
      />
    </form>
  )
}
