import type { Shortcut } from '../shortcuts.ts'
import { Modal } from './modal.tsx'

export function HelpDialog({ shortcuts }: { shortcuts: readonly Shortcut[] }) {
  return (
    <Modal title="Keyboard shortcuts">
      <dl class="keys">
        {shortcuts.map(({ key, does }) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
        <div>
          <dt>
            <kbd>Esc</kbd>
          </dt>
          <dd>Close a dialog, or leave the search</dd>
        </div>
      </dl>
      <p class="hint">
        They rest while you type. For scripts there is the <a href="/docs">HTTP API</a>, and on the
        command line <code>npm run belfry -- tail</code>.
      </p>
    </Modal>
  )
}
