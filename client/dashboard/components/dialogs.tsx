import { RedriveDialog } from '../mail/redrive-dialog.tsx'
import type { Shortcut } from '../shortcuts.ts'
import { dialog } from '../store.ts'
import { DeleteDialog } from './delete-dialog.tsx'
import { HelpDialog } from './help-dialog.tsx'
import { OrderDialog } from './order-dialog.tsx'

/** At most one is open. */
export function Dialogs({ shortcuts }: { shortcuts: readonly Shortcut[] }) {
  const open = dialog.value
  switch (open.kind) {
    case 'none':
      return null
    case 'create':
      return <OrderDialog key="create" order={null} />
    case 'edit':
      return <OrderDialog key={open.order.id} order={open.order} />
    case 'delete':
      return <DeleteDialog order={open.order} />
    case 'redrive':
      return <RedriveDialog query={open.query} />
    case 'help':
      return <HelpDialog shortcuts={shortcuts} />
  }
}
