/** What the keys do, and the switch for them. */

import { Dialog } from '../parts/dialog.tsx'
import { setSingleKeys, singleKeys } from '../preferences.ts'
import { SHEET } from '../shortcuts.ts'
import { useStore } from '../store.ts'

export function ShortcutSheet({ onClose }: { readonly onClose: () => void }) {
  const keys = useStore(singleKeys)
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <div class="dialog-body shortcut-sheet">
        {SHEET.map(({ title, keys }) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {keys.map(([key, action]) => (
                <div key={key}>
                  <dt>
                    {key.split(' ').map((each) => (
                      <kbd key={each}>{each}</kbd>
                    ))}
                  </dt>
                  <dd>{action}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <label class="check">
          <input
            type="checkbox"
            checked={keys === 'on'}
            onChange={(event) => setSingleKeys(event.currentTarget.checked ? 'on' : 'off')}
          />
          Enable single-key shortcuts
        </label>
      </div>
    </Dialog>
  )
}
