import type { FieldErrors, Fields } from '../draft.ts'
import { statuses } from '../order.ts'

type Props = { fields: Fields; errors: FieldErrors; onChange(fields: Fields): void }

export function OrderFields({ fields, errors, onChange }: Props) {
  const set = (name: keyof Fields) => (value: string) => onChange({ ...fields, [name]: value })
  const text = (name: keyof Fields) => ({
    name,
    value: fields[name],
    error: errors[name],
    onChange: set(name),
  })
  return (
    <div class="fields">
      <TextField {...text('customer_name')} label="Customer" autofocus />
      <TextField {...text('product_name')} label="Product" />
      <TextField {...text('amount')} label="Amount" inputMode="decimal" placeholder="120.50" />
      <StatusField value={fields.status} error={errors.status} onChange={set('status')} />
      <TextField
        {...text('customer_email')}
        label="E-mail"
        inputMode="email"
        hint="Optional. Gets a mail when the order is filled."
      />
    </div>
  )
}

type TextFieldProps = {
  name: string
  label: string
  value: string
  error: string | undefined
  hint?: string
  inputMode?: 'decimal' | 'email'
  placeholder?: string
  autofocus?: boolean
  onChange(value: string): void
}

function TextField({ name, label, value, error, hint, onChange, ...input }: TextFieldProps) {
  return (
    <div class="field" data-field={name}>
      <label for={`field-${name}`}>{label}</label>
      <input
        id={`field-${name}`}
        name={name}
        type="text"
        value={value}
        autocomplete="off"
        aria-invalid={error !== undefined}
        aria-describedby={`about-${name}`}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
        {...input}
      />
      <FieldNote name={name} error={error} hint={hint} />
    </div>
  )
}

type StatusFieldProps = {
  value: string
  error: string | undefined
  onChange(value: string): void
}

function StatusField({ value, error, onChange }: StatusFieldProps) {
  return (
    <div class="field" data-field="status">
      <label for="field-status">Status</label>
      <select
        id="field-status"
        name="status"
        value={value}
        aria-invalid={error !== undefined}
        aria-describedby="about-status"
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
      >
        {statuses.map((status) => (
          <option key={status} value={status}>
            {status}
          </option>
        ))}
      </select>
      <FieldNote name="status" error={error} hint={undefined} />
    </div>
  )
}

type FieldNoteProps = { name: string; error: string | undefined; hint: string | undefined }

function FieldNote({ name, error, hint }: FieldNoteProps) {
  return (
    <p class="field-note" id={`about-${name}`} data-wrong={error === undefined ? undefined : ''}>
      {error ?? hint}
    </p>
  )
}
